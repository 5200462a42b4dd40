// Zooms and moves a picture by wheel, two fingers, drag and double click. Knows nothing of what the picture shows.

import { share } from "../widgets/lib/dom.js";
import { clamp, distance, middle } from "../widgets/lib/geometry.js";

const MOST_ZOOM = 8;
const CLOSE_UP = 3; // of a double click

/**
 * Makes `inner`, which fills `box`, zoom and move in it; `onScale` is told each new scale. While `busy()` is true, one
 * finger or a mouse does something else there.
 */
export function zoomable(box, inner, onScale, busy = () => false) {
  const fingers = new Map(); // pointer id -> where it is, in shares of the box
  let scale = 1;
  let [x, y] = [0, 0]; // of inner's corner, in shares of the box

  function place(toScale, toX, toY) {
    scale = clamp(toScale, 1, MOST_ZOOM);
    x = clamp(toX, 1 - scale, 0);
    y = clamp(toY, 1 - scale, 0);
    inner.style.transform = `translate(${share(x)}, ${share(y)}) scale(${scale})`;
    box.classList.toggle("dash-zoomed", scale > 1);
    onScale(scale);
  }

  /** Zoom by a factor; what is at `point` stays where it is. */
  function zoom(factor, point = [0.5, 0.5]) {
    const to = clamp(scale * factor, 1, MOST_ZOOM);
    place(to, point[0] - ((point[0] - x) * to) / scale, point[1] - ((point[1] - y) * to) / scale);
  }

  function pan(dx, dy) {
    place(scale, x + dx, y + dy);
  }

  function whole() {
    place(1, 0, 0);
  }

  function pointOf(event) {
    const { left, top, width, height } = box.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  box.addEventListener("wheel", (event) => {
    event.preventDefault(); // the page stays where it is
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1);
    zoom(Math.exp(-clamp(pixels, -200, 200) / 400), pointOf(event));
  }, { passive: false });
  box.addEventListener("touchstart", (event) => {
    if (event.touches.length > 1 && event.cancelable) event.preventDefault(); // two fingers never move the page
  }, { passive: false });
  box.addEventListener("dblclick", (event) => {
    if (busy()) return;
    if (scale > 1) whole();
    else zoom(CLOSE_UP, pointOf(event));
  });
  box.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, pointOf(event));
    if ((scale > 1 && !busy()) || fingers.size > 1) box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    const before = [...fingers.values()];
    if (event.pointerType === "mouse" && !event.buttons) fingers.delete(event.pointerId); // released outside the window
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, pointOf(event));
    const after = [...fingers.values()];
    const [from, to] = [middle(before), middle(after)];
    if (after.length === 2) zoom(distance(after) / Math.max(distance(before), 0.01), from);
    if (scale > 1 && (after.length > 1 || !busy())) pan(to[0] - from[0], to[1] - from[1]);
  });
  for (const over of ["pointerup", "pointercancel"]) box.addEventListener(over, (event) => fingers.delete(event.pointerId));

  return { zoom, pan, whole };
}
