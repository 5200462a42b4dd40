// What stands around the open field: its buttons, the switches of what is drawn, and what is to be known of it.

import { h } from "../widgets/lib/dom.js";
import { ZOOM_STEP } from "../widgets/lib/geometry.js";
import { marker } from "../widgets/lib/markers.js";

/** act: edit, add, remove, keep, cancel, undo, redo, zoom(factor). */
export function createBar({ text }, act) {
  const button = (label, onclick, more = "") => h("button", { type: "button", class: `dash-button dash-small ${more}`, onclick }, label);
  const small = (sign, label, onclick) => h("button", { type: "button", class: "dash-button dash-small", "aria-label": label, title: label, onclick }, sign);
  const name = h("h2", { class: "dash-name" });
  const edit = button(text.edit, act.edit);
  const add = button(text.add, act.add);
  const remove = button(text.remove, act.remove);
  const keep = button(text.keep, act.keep, "dash-primary");
  const cancel = button(text.cancel, act.cancel);
  const undo = small("↶", text.undo, act.undo);
  const redo = small("↷", text.redo, act.redo);
  const scale = h("output", { class: "dash-number dash-muted" });
  const zoom = h("span", { class: "dash-zoom" }, small("−", text.zoom_out, () => act.zoom(1 / ZOOM_STEP)), scale, small("+", text.zoom_in, () => act.zoom(ZOOM_STEP)));
  const told = h("span");
  const hint = h("p", { class: "dash-muted dash-fine", role: "status" }, told, " ", h("span", { class: "dash-for-mouse" }, text.edit_keys));
  const el = h("div", { class: "dash-field-bar" }, edit, add, remove, keep, cancel, undo, redo, zoom);
  const below = h("div", { class: "dash-field-below" }, name, hint);

  return {
    el,
    below,
    scale: (now) => (scale.textContent = `${Math.round(100 * now)} %`),
    show({ title, editing, draft, chosen, canDraw, canUndo, canRedo }) {
      name.textContent = title;
      edit.setAttribute("aria-pressed", editing);
      edit.disabled = !canDraw;
      const placed = Boolean(draft?.placed); // nothing moves while a pointer draws
      for (const one of [add, remove]) one.hidden = !editing || placed;
      for (const one of [keep, cancel]) one.hidden = !placed;
      remove.disabled = !chosen;
      for (const one of [undo, redo]) one.hidden = placed || (!editing && !canUndo && !canRedo);
      undo.disabled = !canUndo;
      redo.disabled = !canRedo;
      told.textContent = placed ? text.draft_hint : text.edit_hint;
      hint.hidden = !editing;
    },
  };
}

/** Types that the field holds, and a switch for each class that is only counted; `toggle(class)`. */
export function createLegend({ text, number, fill }, groups, classes, toggle) {
  const el = h("div", { class: "dash-field-legend", role: "group", "aria-label": text.legend });
  const count = (n) => h("span", { class: "dash-number" }, number(n));

  function show(field, off) {
    const counts = groups.map((_, i) => field.cells.filter(({ group }) => group === i).length);
    const types = groups.flatMap((group, i) => (counts[i] ? [h("span", { class: "dash-chip dash-chip-still" }, marker(group, 12), group.label, " ", count(counts[i]))] : []));
    const switches = classes.flatMap((one, i) => {
      if (one.named) return [];
      const n = (field.boxes[i]?.whole.length ?? 0) / 4;
      const label = fill(text.show_class, { labels: one.labels });
      const mark = h("span", { class: "dash-frame-mark", style: { borderColor: one.colour }, "aria-hidden": "true" });
      return [h("button", { type: "button", class: "dash-chip", "aria-pressed": String(!off.has(i)), title: label, onclick: () => toggle(i) }, mark, one.labels, " ", count(n))];
    });
    el.replaceChildren(...types, ...switches);
  }
  return { el, show };
}
