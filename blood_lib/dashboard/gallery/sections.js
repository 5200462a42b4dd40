// The groups of the gallery: each a heading with a grid of cards. Which cells a group holds is for gallery.js.

import { h } from "../widgets/lib/dom.js";
import { marker } from "../widgets/lib/markers.js";
import { createGrid } from "./grid.js";

/** keys: of each group, or ""; make(item) gives a card. A section is {index, section, grid, n}. */
export function createSections({ text, number, fill }, groups, keys, make) {
  const sections = groups.map((group, index) => {
    const grid = createGrid(group.label, make);
    const n = h("span", { class: "dash-number" });
    const key = keys[index] ? h("kbd", { title: fill(text.key, { key: keys[index] }) }, keys[index]) : null;
    const section = h("section", { class: "dash-group", "data-group": index }, h("h2", {}, marker(group, 16), group.label, n, key), grid.el);
    return { index, section, grid, n };
  });

  return {
    els: sections.map(({ section }) => section),
    /** members: the items of each group, in their order. */
    fill(members, inRows) {
      sections.forEach(({ grid, section, n }, index) => {
        const mine = members[index];
        section.hidden = !mine.length;
        n.textContent = number(mine.length);
        grid.fill(mine);
        grid.measure(inRows);
      });
    },
    measure(inRows) {
      for (const { grid } of sections) grid.measure(inRows);
    },
    /** All places are read before anything is written. Otherwise the browser would lay out the page for each group. */
    draw() {
      const tops = sections.map(({ grid }) => grid.el.getBoundingClientRect().top);
      sections.forEach(({ grid }, i) => grid.draw(tops[i]));
    },
    cards: () => sections.flatMap(({ grid }) => [...grid.cards.values()]),
    order: () => sections.flatMap(({ grid }) => grid.items().map(({ id }) => id)),
    visible: () => sections.filter(({ section }) => !section.hidden),
    /** The grid that holds a cell, or undefined. */
    gridOf: (id) => sections.find(({ section, grid }) => !section.hidden && grid.place(id) !== undefined)?.grid,
    touched: (box) => sections.flatMap(({ grid }) => grid.touched(box)),
  };
}
