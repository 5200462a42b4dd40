// What a pointer does on the map: a drag or two fingers move it, a wheel zooms, a lasso goes around items. One finger
// alone scrolls the page.

import { clamp, distance, middle } from "../widgets/lib/geometry.js";

const STILL = 6; // px: a press that moves less is a click

/**
 * acts: choosing() -> a drag draws a lasso; hover(point or null); click(point, event); twice(); zoom(factor, point);
 * pan(dx, dy); trace(points, or null when the lasso is over); lasso(points, event). Points are [x, y] in px.
 */
export function listenToPointers(box, signal, acts) {
  const fingers = new Map(); // pointer id -> where it is
  let start = null; // where the first finger went down
  let moved = false;
  let path = null; // of the lasso

  const on = (name, act, more = {}) => box.addEventListener(name, act, { signal, ...more });
  const pointOf = ({ clientX, clientY }) => {
    const { left, top } = box.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };

  on("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== box) return; // let the page scroll
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1);
    acts.zoom(Math.exp(-clamp(pixels, -200, 200) / (event.ctrlKey ? 100 : 400)), pointOf(event));
  }, { passive: false });
  on("touchstart", (event) => {
    if (event.touches.length > 1 && event.cancelable) event.preventDefault(); // two fingers never move the page
  }, { passive: false });
  on("dblclick", () => acts.twice());

  on("pointerdown", (event) => {
    if (event.button) return;
    if (!fingers.size) [start, moved, path] = [pointOf(event), false, null];
    fingers.set(event.pointerId, pointOf(event));
    if (event.pointerType !== "touch") box.setPointerCapture(event.pointerId);
    if (fingers.size > 1) end();
    else if (acts.choosing()) path = [start];
  });
  on("pointermove", (event) => {
    const now = pointOf(event);
    if (!fingers.has(event.pointerId)) return acts.hover(event.pointerType === "touch" ? null : now);
    if (!moved && distance([start, now]) < STILL) return;
    moved = true;
    acts.hover(null);
    const before = [...fingers.values()];
    fingers.set(event.pointerId, now);
    const after = [...fingers.values()];
    if (path) acts.trace(path.push(now) && path);
    else if (after.length === 2 || event.pointerType !== "touch") follow(before, after);
  });
  on("pointerup", (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    const drawn = path;
    end();
    if (!moved) acts.click(pointOf(event), event);
    else if (drawn) acts.lasso(drawn, event);
  });
  on("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    end();
  });
  on("pointerleave", () => acts.hover(null));

  function follow(before, after) {
    const [from, to] = [middle(before), middle(after)];
    if (after.length === 2) acts.zoom(distance(after) / Math.max(distance(before), 1), from);
    acts.pan(to[0] - from[0], to[1] - from[1]);
  }

  /** End the lasso: it is complete, or another finger is down. */
  function end() {
    path = null;
    moved ||= fingers.size > 0;
    acts.trace(null);
  }
}
