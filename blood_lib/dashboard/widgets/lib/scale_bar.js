// A bar that says how long some micrometres are on the screen.

import { h } from "./dom.js";
import { roundLength } from "./geometry.js";

const LONGEST = 140; // px

/** Returns {el, show}; `show(umPerPixel)` is told how many micrometres a pixel of the screen is, or null. */
export function createScaleBar({ number }) {
  const line = h("span", { class: "dash-scale-line" });
  const label = h("span", {});
  const el = h("div", { class: "dash-scale", hidden: true }, line, label);

  function show(umPerPixel) {
    el.hidden = !umPerPixel || !Number.isFinite(umPerPixel);
    if (el.hidden) return;
    const length = roundLength(umPerPixel * LONGEST);
    line.style.width = `${length / umPerPixel}px`;
    label.textContent = `${number(length, length < 1 ? 1 : 0)} µm`;
  }
  return { el, show };
}
