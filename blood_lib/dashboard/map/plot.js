// Draws the map: zones, reference items, and the visitor's own on top. Each group has a shape besides its colour.

import { h } from "../widgets/lib/dom.js";
import { clamp } from "../widgets/lib/geometry.js";
import { BOX } from "../widgets/lib/markers.js";

const FAR_FROM_ALL = 255; // in the raster of the zones: no group
const ZONE_OPACITY = 0.22;
const SMOOTH = 4; // pixels a side for each value of the raster
const REFERENCE_OPACITY = 0.6;
const EXCLUDED_OPACITY = 0.3;
const SIZE = 16; // px a side of an item's marker
const SELECTED_SIZE = 26;
const OUTLINE = 1.8; // px
const REVIEWED_OUTLINE = 3.2;
const BULK = 3; // accepted in bulk, among the reviews that Python tells: no person has looked at it

/** Returns {zones, draw} for markers of these groups, the last of which is the excluded one. */
export function createPlot(groups) {
  const shapes = groups.map(({ shape }) => new Path2D(shape));
  const sprites = new Map();
  let dressed = ""; // ratio and colours of the sprites

  /** A marker as a picture: drawing thousands of paths would take ten times as long. */
  function sprite(group, size, line, colour, ratio) {
    const key = [group, size, line, colour].join();
    if (!sprites.has(key)) {
      const side = Math.ceil((size + 2 * line) * ratio);
      const canvas = h("canvas", { width: side, height: side });
      const pen = canvas.getContext("2d");
      const scale = (size * ratio) / BOX;
      pen.setTransform(scale, 0, 0, scale, (side - size * ratio) / 2, (side - size * ratio) / 2);
      pen.fillStyle = groups[group].colour;
      pen.fill(shapes[group]);
      if (line) {
        Object.assign(pen, { lineWidth: (line * ratio) / scale, strokeStyle: colour, lineJoin: "round" });
        pen.stroke(shapes[group]);
      }
      sprites.set(key, canvas);
    }
    return sprites.get(key);
  }

  /** The zones as a picture with soft edges, without those of groups that are `off`. */
  function zones(raster, off) {
    const side = Math.sqrt(raster.length);
    const picture = new ImageData(side, side);
    const colours = groups.map(({ colour }) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
    raster.forEach((group, i) => {
      if (group === FAR_FROM_ALL || off.has(group)) return;
      const to = 4 * (side * (side - 1 - Math.floor(i / side)) + (i % side));
      picture.data.set([...colours[group], 255 * ZONE_OPACITY], to);
    });
    const [hard, soft] = [side, SMOOTH * side].map((length) => h("canvas", { width: length, height: length }));
    hard.getContext("2d").putImageData(picture, 0, 0);
    const pen = soft.getContext("2d");
    pen.filter = `blur(${SMOOTH}px)`; // without support for it, edges are steps
    pen.drawImage(hard, 0, 0, soft.width, soft.height);
    return soft;
  }

  /**
   * Draw into a canvas of `ratio` pixels a px; returns the items that lie in it: [{item, x, y}, ...].
   * scene: {zones, reach of the zones, places, kinds, items, off, selected(id), ink, accent}
   */
  function draw(canvas, lens, ratio, scene) {
    const [width, height] = lens.size();
    const pen = canvas.getContext("2d");
    const { zones: picture, reach, off, ink, accent } = scene;
    if (dressed !== (dressed = [ratio, ink, accent].join())) sprites.clear();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (picture) {
      const [corner, opposite] = [lens.at(reach[0], reach[3]), lens.at(reach[2], reach[1])];
      pen.drawImage(picture, ...corner, opposite[0] - corner[0], opposite[1] - corner[1]);
    }
    const put = (marker, [x, y]) => {
      const side = marker.width / ratio;
      pen.drawImage(marker, x - side / 2, y - side / 2, side, side);
    };
    const sees = ([x, y]) => x > -SELECTED_SIZE && y > -SELECTED_SIZE && x < width + SELECTED_SIZE && y < height + SELECTED_SIZE;

    pen.globalAlpha = REFERENCE_OPACITY;
    const small = clamp(Math.round(lens.unit() / 50), 4, 12);
    scene.kinds.forEach((kind, i) => {
      const point = lens.at(scene.places[2 * i], scene.places[2 * i + 1]);
      if (!off.has(kind) && sees(point)) put(sprite(kind, small, 0, "", ratio), point);
    });

    const drawn = [];
    for (const item of scene.items) {
      const point = lens.at(item.x, item.y);
      if (off.has(item.group) || !sees(point)) continue;
      const [line, colour] = item.review && item.review !== BULK ? [REVIEWED_OUTLINE, accent] : [OUTLINE, ink];
      pen.globalAlpha = item.group === groups.length - 1 ? EXCLUDED_OPACITY : 1;
      put(sprite(item.group, scene.selected(item.id) ? SELECTED_SIZE : SIZE, line, colour, ratio), point);
      drawn.push({ item, x: point[0], y: point[1] });
    }
    pen.globalAlpha = 1;
    return drawn;
  }

  return { zones, draw };
}
