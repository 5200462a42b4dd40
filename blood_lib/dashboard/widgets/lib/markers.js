// How types and statuses are marked everywhere: by a shape and a sign, never by colour alone.

import { h, svg } from "./dom.js";

/** The marker of a type: its shape in its colour. */
export function marker(type, size = 14) {
  const box = { viewBox: "0 0 16 16", width: size, height: size, class: "dash-mark", "aria-hidden": "true" };
  return svg("svg", box, svg("path", { d: type.shape, fill: type.colour }));
}

export const SIGNS = { ok: "", uncertain: "?", unfamiliar: "!", rejected: "×", confirmed: "✓", moved: "→" };

/** A badge with a sign and a word, for everything but "ok". */
export function badge(status, word) {
  if (!SIGNS[status]) return null;
  return h("span", { class: `dash-badge dash-badge-${status}` }, h("b", { "aria-hidden": "true" }, SIGNS[status]), word);
}
