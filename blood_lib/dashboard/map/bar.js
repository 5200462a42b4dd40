// What stands around the map: above it the mode of a drag, the selection and the zoom, below it the legend.

import { h } from "../widgets/lib/dom.js";
import { ZOOM_STEP } from "../widgets/lib/geometry.js";
import { marker } from "../widgets/lib/markers.js";
import { groupChoices, openMenu } from "../widgets/lib/menu.js";

/** acts: choose(), move(group), clearSelection(), zoom(factor), whole(), save(). */
export function createBar({ text, count }, groups, acts) {
  const button = (label, onclick, more = {}) => h("button", { type: "button", class: "dash-button dash-small", onclick, ...more }, label);
  const sign = (icon, label, onclick) => button(icon, onclick, { "aria-label": label, title: label });
  const choose = button(text.choose, acts.choose, { title: text.choose_note });
  const selected = h("span", { class: "dash-number", role: "status" });
  const move = button(text.move, () => openMenu(move, text.move, groupChoices(groups), acts.move), { "aria-haspopup": "menu" });
  const rest = h("span", { class: "dash-selection-move" }, move, button(text.select_none, acts.clearSelection));
  const signs = [sign("−", text.zoom_out, () => acts.zoom(1 / ZOOM_STEP)), sign("+", text.zoom_in, () => acts.zoom(ZOOM_STEP)), sign("⤢", text.whole, acts.whole), sign("⤓", text.save, acts.save)];
  return {
    el: h("div", { class: "dash-selection" }, choose, selected, rest, h("span", { class: "dash-map-signs" }, ...signs)),
    show(n, choosing) {
      choose.setAttribute("aria-pressed", choosing);
      selected.textContent = n ? count("selected", n) : "";
      rest.hidden = n === 0;
    },
  };
}

/** A button for each group, with the number of its items; toggle(group) switches it on or off. */
export function createLegend({ text, number }, groups, toggle) {
  const chips = groups.map((group, i) => {
    const n = h("span", { class: "dash-number" });
    return { n, chip: h("button", { type: "button", class: "dash-chip", onclick: () => toggle(i) }, marker(group), group.label, n) };
  });
  const reviewed = h("span", {}, h("i", { class: "dash-reviewed" }), text.reviewed);
  return {
    el: h("div", { class: "dash-legend", role: "group", "aria-label": text.legend }, ...chips.map(({ chip }) => chip), reviewed),
    show(counts, off) {
      chips.forEach(({ chip, n }, i) => {
        n.textContent = number(counts[i]);
        chip.hidden = i >= groups.length - 2 && !counts[i]; // unidentified and excluded have no reference items
        chip.setAttribute("aria-pressed", !off.has(i));
      });
    },
  };
}
