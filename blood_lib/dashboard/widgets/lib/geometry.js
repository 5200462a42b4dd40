// Arithmetic with points, [x, y], for whatever can be zoomed.

export const ZOOM_STEP = 1.5; // of a button or a key

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

export function middle(points) {
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

/** How far two points are from each other. */
export function distance([a, b]) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Whether a point lies in a polygon: a ray from it crosses an odd number of its sides. */
export function isWithin([x, y], polygon) {
  let inside = false;
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon.at(i - 1);
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}

/** The longest of 1, 2, 5, 10, 20, 50, ... that is no longer than this. */
export function roundLength(longest) {
  const power = 10 ** Math.floor(Math.log10(longest));
  return power * [5, 2, 1].find((step) => step * power <= longest * (1 + 1e-9));
}
