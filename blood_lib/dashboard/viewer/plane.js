// A small map: the reference cells faint, the neighbours marked, and one place. The large map is map.js.

import { svg } from "../widgets/lib/dom.js";

/** Returns {el, draw, show}; `side`: the units of the places on it. */
export function plane(types, side) {
  const dots = svg("g");
  const near = svg("g", { class: "dash-plane-near" });
  const here = svg("path", { class: "dash-plane-here" });
  const el = svg("svg", { class: "dash-plane", viewBox: `-30 -30 ${side + 60} ${side + 60}`, role: "img" }, dots, near, here);
  let drawn = null;

  /** The reference items: for each type the places [x, y, x, y, ...]. */
  function draw(reference) {
    if (reference === drawn) return;
    drawn = reference;
    dots.replaceChildren(...reference.map((flat, i) => svg("path", { class: "dash-plane-dots", stroke: types[i].colour, d: dotted(flat) })));
  }

  /** Mark `neighbours` ([[type, x, y], ...]) and the `place` ([x, y], or null). */
  function show(neighbours, place, label) {
    el.setAttribute("aria-label", label);
    near.replaceChildren(
      ...neighbours.map(([type, x, y]) => svg("path", { d: types[type].shape, fill: types[type].colour, transform: `translate(${x - 20} ${y - 20}) scale(2.5)` })),
    );
    here.setAttribute("d", place ? cross(...place) : "");
  }
  return { el, draw, show };
}

/** One path of dots, drawn by their round line ends: far lighter than an element each. */
function dotted(flat) {
  let d = "";
  for (let i = 0; i < flat.length; i += 2) d += `M${flat[i]} ${flat[i + 1]}h0`;
  return d;
}

/** A ring with four ticks around a place. */
function cross(x, y) {
  const ticks = [[-1, 0], [1, 0], [0, -1], [0, 1]].map(([dx, dy]) => `M${x + 34 * dx} ${y + 34 * dy}l${30 * dx} ${30 * dy}`);
  return `M${x - 34} ${y}a34 34 0 1 1 68 0a34 34 0 1 1 -68 0${ticks.join("")}`;
}
