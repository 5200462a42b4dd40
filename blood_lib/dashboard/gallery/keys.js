// What the keys do while the focus is on a card: walk, select, move, confirm, undo.

import { walk } from "./walk.js";

/**
 * view: sections() -> [{grid}, ...] in the page's order; keys: the key of each group; selection; order() -> all ids;
 * goTo(id); act(message, id) for what is selected, or else this cell; again("undo" or "redo").
 */
export function listenToGalleryKeys(el, signal, view) {
  const { selection } = view;

  el.addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || event.altKey) return;
      const card = event.target.closest(".dash-card");
      const control = event.ctrlKey || event.metaKey;
      const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
      const done = control ? withControl(key, event.shiftKey, card) : card ? plain(key, event.shiftKey, card) : false;
      if (done) event.preventDefault();
    },
    { signal },
  );

  function withControl(key, shift, card) {
    if (key === "Z") view.again(shift ? "redo" : "undo");
    else if (key === "Y") view.again("redo");
    else if (key === "A" && card) selection.set(sectionOf(card.item.id).grid.items().map(({ id }) => id));
    else return false;
    return true;
  }

  function plain(key, shift, card) {
    const { id } = card.item;
    const group = view.keys.indexOf(key);
    const to = walk(view.sections(), key, id);
    if (to !== undefined) step(id, to, shift);
    else if (key === " ") selection.toggle(id);
    else if (key === "Enter") view.act({ kind: "confirm" }, id);
    else if (key === "Escape" && selection.size()) selection.clear();
    else if (group >= 0 && !shift) view.act({ kind: "move", group }, id);
    else return false;
    return true;
  }

  function step(from, to, shift) {
    if (shift && !selection.size()) selection.begin(from);
    view.goTo(to);
    if (shift) selection.extend(to, view.order());
  }

  const sectionOf = (id) => view.sections().find(({ grid }) => grid.place(id) !== undefined);
}
