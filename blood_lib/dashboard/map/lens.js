// Which part of the map is visible. Turns places on the map into pixels of its box. Knows nothing of items.

import { clamp } from "../widgets/lib/geometry.js";

const MOST_LENS = 60;
const EDGE_SHARE = 0.12; // of the box: how near to its edge a place is brought

/**
 * `kept` is an object that outlives the lens; `changed()` is called whenever another part is visible.
 * Points are [x, y] in px from the box's corner.
 */
export function createLens(kept, changed) {
  kept.bounds ??= [-1, -1, 1, 1]; // of the whole map: left, bottom, right, top
  kept.sight ??= { x: 0, y: 0, scale: 1 }; // the place in the middle of the box; at scale 1 the whole map fits
  let [width, height] = [0, 0]; // of the box, px

  /** How many px a unit of the map is. */
  function unit() {
    const [left, bottom, right, top] = kept.bounds;
    return kept.sight.scale * Math.min(width / (right - left), height / (top - bottom));
  }

  function look(x, y, scale = kept.sight.scale) {
    const [left, bottom, right, top] = kept.bounds;
    kept.sight = { x: clamp(x, left, right), y: clamp(y, bottom, top), scale };
    changed();
  }

  function at(x, y) {
    return [width / 2 + (x - kept.sight.x) * unit(), height / 2 - (y - kept.sight.y) * unit()];
  }

  function whole() {
    const [left, bottom, right, top] = kept.bounds;
    look((left + right) / 2, (bottom + top) / 2, 1);
  }

  function pan(dx, dy) {
    look(kept.sight.x - dx / unit(), kept.sight.y + dy / unit());
  }

  /** What is at `point` stays where it is. */
  function zoom(factor, point = [width / 2, height / 2]) {
    const { x, y, scale } = kept.sight;
    const to = clamp(scale * factor, 1, MOST_LENS);
    const gain = (1 - scale / to) / unit();
    look(x + (point[0] - width / 2) * gain, y + (height / 2 - point[1]) * gain, to);
  }

  /** Make a place visible, if it is not. */
  function bring(x, y) {
    const point = at(x, y);
    const sides = [width, height];
    if (point.every((value, i) => value >= 0 && value <= sides[i])) return;
    pan(...sides.map((side, i) => clamp(point[i], EDGE_SHARE * side, (1 - EDGE_SHARE) * side) - point[i]));
  }

  return {
    /** The bounds of the map; returns true if that is another map than before. */
    reach(bounds) {
      if (String(bounds) === String(kept.bounds)) return false;
      kept.bounds = bounds;
      whole();
      return true;
    },
    resize: (...size) => ([width, height] = size),
    size: () => [width, height],
    unit,
    at,
    whole,
    pan,
    zoom,
    bring,
  };
}
