// All classified cells by group, to look at, select and move. The cells are kept by items.js and laid out by sections.js,
// what is selected is for selection.js, what a pointer does for gestures.js, what a key does for keys.js.

import { h } from "../widgets/lib/dom.js";
import { live } from "../widgets/lib/live.js";
import { groupKeys } from "../widgets/lib/menu.js";
import { createCurrent, createSelection, tellBeforeKeys } from "../widgets/lib/selection.js";
import { createBar, createFilters, createRejectedTable } from "./bar.js";
import { createCards, createPictures } from "./cards.js";
import { listenToPointers } from "./gestures.js";
import { EVERYTHING, createItems, passes, passesRejected } from "./items.js";
import { listenToGalleryKeys } from "./keys.js";
import { createOrder } from "./order.js";
import { createSections } from "./sections.js";

const DRAW_EVERY = 400; // ms, while results come in
const OPEN_AFTER = 120; // ms that the focus rests on a cell before it becomes the current one

function render({ model, el, words, kept, signal }) {
  const { text, number } = words;
  const groups = model.get("groups"); // the classes, then unidentified, then excluded
  const statuses = model.get("statuses"); // the surest first
  const keys = groupKeys(groups);
  const inOrder = createOrder(statuses);
  const items = createItems();
  let listed = null; // the rejected files that the table shows
  const types = groups.map(({ name }) => name).join("\n");
  let filters = { ...EVERYTHING, ...kept.filters, ...(types === kept.types ? {} : { group: "all" }) };
  kept.types = types; // a filter by type means nothing to another model
  let run = null; // the run that these items belong to
  let drawn = 0;
  let timer = null;
  let inSight = false;
  let clicked = null; // the id of the cell that was clicked last, with no key held
  let next = null; // the id of the cell that gets the focus after a move

  // --- what is shown ---
  const { make, review } = createCards(words, groups);
  const bar = createBar(model, words, groups, { act, all: () => selection.set(order()), none: () => selection.clear(), select: setSelecting });
  const sieve = createFilters(words, groups, statuses, changeFilters, setInRows);
  const hint = h("p", { class: "dash-muted dash-order" }, `${text.order} `, h("span", { class: "dash-for-mouse" }, text.mouse), h("span", { class: "dash-for-touch" }, text.touch));
  const root = h("div", { class: "dash-groups" });
  const none = h("p", { class: "dash-empty" }, text.none, " ", h("button", { type: "button", class: "dash-button dash-small", onclick: () => changeFilters(EVERYTHING) }, text.show_all));
  const empty = h("p", { class: "dash-empty" }, text.empty);
  const sections = createSections(words, groups, keys, make);
  const { cards, order } = sections;
  const list = h("div", { class: "dash-rejected-box" });
  root.append(...sections.els, none, list);
  el.classList.add("dash-gallery");
  const all = h("div", {}, sieve.el, hint, root, bar.el);
  el.append(empty, all);

  /** Side by side as pictures, or as a list, which has room for names and words. */
  function setInRows(on) {
    kept.inRows = on;
    el.classList.toggle("dash-listed", on);
    sieve.showRows(on);
    draw();
  }

  function changeFilters(change) {
    filters = kept.filters = { ...filters, ...change };
    draw();
    dropUnseen();
  }

  /** Only visible cells are moved. The map may have selected cells that the filters hide. */
  function dropUnseen() {
    const shown = new Set(order());
    const seen = selection.all().filter((id) => shown.has(id));
    if (seen.length < selection.size()) selection.set(seen);
  }

  // --- messages from Python ---
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "reset") begin(message);
    if (message.run !== run) return;
    if (message.kind === "reset" || message.kind === "add") {
      items.add(message);
      plan();
    }
    if (message.kind === "thumbs") message.ids.forEach((id, i) => pictures.take(items.get(id), buffers[i]));
    if (message.kind === "selected") selection.take(message.ids);
  });

  function begin(message) {
    items.forget();
    run = message.run;
    clicked = next = null;
    current.begin();
    selection.take(message.selected);
  }

  // --- drawing ---
  function plan() {
    if (!inSight) return;
    if (!items.streaming()) draw();
    else timer ??= setTimeout(draw, Math.max(0, drawn + DRAW_EVERY - Date.now()));
  }

  function draw() {
    clearTimeout(timer);
    timer = null;
    drawn = Date.now();
    const rejected = items.rejected();
    const any = items.all().length + rejected.length > 0;
    empty.hidden = any;
    all.hidden = !any;
    sieve.show(filters, items.all(), rejected.length);
    fillSections();
    drawRejected(rejected);
    none.hidden = sections.visible().length > 0 || !list.hidden;
    drawCards();
    showSelection();
    if (next !== null && items.has(next)) goTo(next);
    next = null;
  }

  function fillSections() {
    const members = groups.map(() => []);
    for (const item of items.all()) if (passes(filters, item, review(item))) members[item.group].push(item);
    for (const mine of members) mine.sort(inOrder);
    sections.fill(members, kept.inRows);
  }

  function drawCards() {
    if (!el.offsetParent) return; // in a hidden tab all groups have the same place
    sections.draw();
    showOnCards();
    pictures.plan();
  }

  function drawRejected(rejected) {
    list.hidden = !rejected.length || !passesRejected(filters);
    if (listed === rejected) return;
    listed = rejected;
    list.replaceChildren(createRejectedTable(words, rejected));
  }

  const pictures = createPictures(cards, (ids) => model.send({ kind: "thumbs", ids }));

  let waiting = null;
  let resized = false;
  function redraw() {
    if (inSight) waiting ??= requestAnimationFrame(drawAgain);
  }
  function drawAgain() {
    waiting = null;
    if (resized) sections.measure(kept.inRows);
    resized = false;
    drawCards();
  }
  document.addEventListener("scroll", redraw, { signal, passive: true, capture: true });
  const widths = new ResizeObserver(() => {
    resized = true;
    redraw();
  });
  widths.observe(root);
  const sight = new IntersectionObserver((entries) => {
    inSight = entries.at(-1).isIntersecting;
    if (!inSight) return;
    draw();
    dropUnseen();
  });
  sight.observe(el);

  // --- what is selected, and the current cell ---
  const selection = createSelection(showSelection, (ids) => model.send({ kind: "select", ids }));
  const current = createCurrent(model, showSelection, follow);
  tellBeforeKeys(el, signal, selection, current);

  function showSelection() {
    showOnCards();
    bar.show(selection.size(), targets().length > 0);
  }

  function showOnCards() {
    for (const card of cards()) {
      card.setAttribute("aria-selected", selection.has(card.item.id));
      if (card.item.id === current.id()) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
    }
  }
  model.on("change:can_undo", showSelection);
  model.on("change:can_redo", showSelection);

  /** What a key or a button is about: all that is selected, or else the current cell. */
  function targets() {
    return selection.size() ? selection.all() : items.has(current.id()) ? [current.id()] : [];
  }

  function goTo(id) {
    const grid = sections.gridOf(id);
    if (!grid) return;
    grid.focus(id);
    current.at(id, OPEN_AFTER);
  }

  /** The viewer's keys have led to another cell. The focus follows, so that the next key acts on that cell. */
  function follow(id) {
    const focused = document.activeElement?.closest?.(".dash-card");
    if (focused && el.contains(focused) && focused.item.id !== id) sections.gridOf(id)?.focus(id);
  }

  /** Tell Python what to do with these cells. The focus goes to the next cell. */
  function act(message, ids = targets()) {
    if (!ids.length) return;
    const moving = new Set(ids);
    const focused = document.activeElement?.closest?.(".dash-card")?.item;
    if (focused && moving.has(focused.id)) next = following(focused.id, moving);
    selection.take(selection.all().filter((id) => !moving.has(id)));
    clicked = null;
    model.send({ ...message, ids });
  }

  /** The next cell that stays in its group, or the one before. If none stays: this cell, at its new place. */
  function following(id, moving) {
    const ids = order();
    const at = ids.indexOf(id);
    const stays = (one) => !moving.has(one);
    return ids.slice(at).find(stays) ?? ids.slice(0, at).findLast(stays) ?? id;
  }

  // --- pointers and keys ---
  function setSelecting(on) {
    kept.selecting = on;
    clicked = null;
    el.classList.toggle("dash-selecting", on);
    bar.select(on);
    if (!on) selection.clear();
  }

  root.addEventListener("click", (event) => {
    const id = event.target.closest(".dash-card")?.item.id;
    if (id === undefined) return;
    if (event.shiftKey) return selection.extend(id, order());
    if (event.ctrlKey || event.metaKey || kept.selecting) {
      selection.toggle(id, clicked);
      clicked = null;
      return;
    }
    selection.clear();
    selection.begin(id);
    clicked = id;
    current.at(id);
  });

  let dragged = []; // the ids that a drag moves
  let framed = null; // what was selected before the frame was started
  listenToPointers(root, signal, {
    take(id) {
      dragged = selection.has(id) ? selection.all() : [id];
      bar.tray(true);
      return number(dragged.length);
    },
    over(group) {
      for (const target of el.querySelectorAll("[data-group]")) target.classList.toggle("dash-over", Number(target.dataset.group) === group);
    },
    drop(group) {
      act({ kind: "move", group }, dragged.filter((id) => items.get(id)?.group !== group)); // dropped on its own group: not a confirmation
    },
    frame(box, more) {
      const before = more ? (framed ??= selection.all()) : [];
      selection.set([...before, ...sections.touched(box)]);
    },
    rest(id) {
      if (!kept.selecting) setSelecting(true);
      selection.toggle(id);
    },
    end() {
      framed = null;
      bar.tray(false);
      for (const target of el.querySelectorAll(".dash-over")) target.classList.remove("dash-over");
    },
  });

  listenToGalleryKeys(el, signal, {
    sections: sections.visible,
    keys,
    selection,
    order,
    goTo,
    act: (message, id) => act(message, selection.size() ? selection.all() : [id]),
    again: (kind) => model.send({ kind }),
  });

  el.addEventListener("dash:show", ({ detail }) => changeFilters({ ...EVERYTHING, review: detail }), { signal });
  setSelecting(kept.selecting ?? false);
  setInRows(kept.inRows ?? false);
  model.send({ kind: "hello" });
  return () => {
    widths.disconnect();
    sight.disconnect();
    selection.stop();
    pictures.stop();
    clearTimeout(timer);
    current.stop();
    items.forget();
  };
}

export default { render: live(render) };
