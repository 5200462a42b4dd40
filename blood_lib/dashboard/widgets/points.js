// Arithmetic with points, [x, y], for whatever can be zoomed.

const ZOOM_STEP = 1.5; // of a button or a key

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function middle(points) {
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

function spread([a, b]) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
