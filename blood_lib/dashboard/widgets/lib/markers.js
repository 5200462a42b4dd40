// How types and statuses are marked everywhere: by a shape and a sign, never by colour alone. The table of signs
// is in markers.py and comes with a widget's words.

import { h, svg } from "./dom.js";

export const BOX = 16; // units a side of a shape, as Python has them

/** The marker of a type: its shape in its colour. */
export function marker(type, size = 14) {
  const box = { viewBox: `0 0 ${BOX} ${BOX}`, width: size, height: size, class: "dash-mark", "aria-hidden": "true" };
  return svg("svg", box, svg("path", { d: type.shape, fill: type.colour }));
}

/** A badge with a sign and a word. */
export function badge({ signs }, status, word) {
  return h("span", { class: `dash-badge dash-badge-${status}` }, h("b", { "aria-hidden": "true" }, signs[status]), word);
}
