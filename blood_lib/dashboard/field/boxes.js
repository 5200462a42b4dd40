// Arithmetic with boxes, [x, y, width, height], in the pixels of a field's file.

import { clamp } from "../widgets/lib/geometry.js";

const LEAST = 4; // px, a side

/** The box between two points, within a field of `size`. */
export function between([a, b], [c, d], [width, height]) {
  const [left, right] = [a, c].sort((one, other) => one - other).map((x) => clamp(x, 0, width));
  const [top, bottom] = [b, d].sort((one, other) => one - other).map((y) => clamp(y, 0, height));
  return [left, top, right - left, bottom - top];
}

/** A box of the given sides around a point, within a field of `size`. */
export function around([x, y], side, size) {
  return shift([x - side / 2, y - side / 2, side, side], 0, 0, size);
}

/** A box moved, but never out of the field. */
export function shift([x, y, width, height], dx, dy, size) {
  const [w, h] = [Math.min(width, size[0]), Math.min(height, size[1])];
  return [clamp(x + dx, 0, size[0] - w), clamp(y + dy, 0, size[1] - h), w, h];
}

/** A box with its corner moved; corner: [0 or 1, 0 or 1], left or right, top or bottom. */
export function stretch(box, corner, dx, dy, size) {
  const [left, width] = stretchSide(box[0], box[2], corner[0], dx, size[0]);
  const [top, height] = stretchSide(box[1], box[3], corner[1], dy, size[1]);
  return [left, top, width, height];
}

function stretchSide(start, length, end, by, whole) {
  if (end) return [start, clamp(length + by, LEAST, whole - start)];
  const to = clamp(start + by, 0, start + length - LEAST);
  return [to, start + length - to];
}

/** The corner of a box within `slack` of a point, or null. */
export function cornerAt([x, y, width, height], [a, b], slack) {
  const corners = [[0, 0], [1, 0], [0, 1], [1, 1]];
  const near = ([i, j]) => Math.max(Math.abs(x + i * width - a), Math.abs(y + j * height - b)) <= slack;
  return corners.find(near) ?? null;
}

/** Of `cells`, [{box}, ...], the one with the smallest box that holds the point, `slack` around it included. */
export function cellAt(cells, [a, b], slack = 0) {
  const holds = ({ box: [x, y, width, height] }) => a >= x - slack && a <= x + width + slack && b >= y - slack && b <= y + height + slack;
  return cells.filter(holds).sort((one, other) => one.box[2] * one.box[3] - other.box[2] * other.box[3])[0] ?? null;
}

/** The path of many boxes, flat: [x, y, width, height, ...]. */
export function pathOf(flat) {
  let d = "";
  for (let i = 0; i < flat.length; i += 4) d += `M${flat[i]} ${flat[i + 1]}h${flat[i + 2]}v${flat[i + 3]}h${-flat[i + 2]}z`;
  return d;
}

/** The side of a usual cell: the middle one of all, or a tenth of the field. */
export function usualSide(cells, size) {
  const sides = cells.map(({ box }) => Math.sqrt(box[2] * box[3])).sort((a, b) => a - b);
  return sides.length ? sides[sides.length >> 1] : Math.min(...size) / 10;
}
