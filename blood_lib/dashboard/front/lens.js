// Which part of the map is in sight: turns places on it into pixels of its box and back. Knows of no cells.

const MOST_LENS = 60;
const EDGE_SHARE = 0.12; // of the box: what is brought into sight comes no nearer to its edge

/** Returns {reach, resize, zoom, pan, whole, at, unit, bring}; points are [x, y] in px from the box's corner. */
function createLens() {
  let [left, bottom, right, top] = [-1, -1, 1, 1]; // of the whole map
  let [width, height] = [0, 0]; // of the box, px
  let scale = 1; // 1: the whole map fits
  let [x, y] = [0, 0]; // the place in the middle of the box

  const unit = () => scale * Math.min(width / (right - left), height / (top - bottom)); // px

  function look(toX, toY, toScale = scale) {
    scale = clamp(toScale, 1, MOST_LENS);
    x = clamp(toX, left, right);
    y = clamp(toY, bottom, top);
  }

  function whole() {
    look((left + right) / 2, (bottom + top) / 2, 1);
  }

  function at(placeX, placeY) {
    return [width / 2 + (placeX - x) * unit(), height / 2 - (placeY - y) * unit()];
  }

  /** What is at `point` stays where it is. */
  function zoom(factor, point = [width / 2, height / 2]) {
    const [dx, dy] = [point[0] - width / 2, height / 2 - point[1]];
    const to = clamp(scale * factor, 1, MOST_LENS);
    const gain = (1 - scale / to) / unit();
    look(x + dx * gain, y + dy * gain, to);
  }

  function pan(dx, dy) {
    look(x - dx / unit(), y + dy / unit());
  }

  /** Bring a place into sight, if it is out of it. */
  function bring(placeX, placeY) {
    const point = at(placeX, placeY);
    const [dx, dy] = [width, height].map((side, i) => clamp(point[i], EDGE_SHARE * side, (1 - EDGE_SHARE) * side) - point[i]);
    if (point[0] < 0 || point[0] > width || point[1] < 0 || point[1] > height) pan(dx, dy);
  }

  return {
    reach(bounds) {
      [left, bottom, right, top] = bounds;
      whole();
    },
    resize: (toWidth, toHeight) => ([width, height] = [toWidth, toHeight]),
    size: () => [width, height],
    zoom,
    pan,
    whole,
    at,
    unit,
    bring,
  };
}
