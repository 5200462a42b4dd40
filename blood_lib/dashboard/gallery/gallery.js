// All classified cells by group, to look at, select and move. How they are laid out is for grid.js, what is selected
// for selection.js, what a pointer does for gestures.js, what a key does for keys.js.

import { h } from "../widgets/lib/dom.js";
import { live } from "../widgets/lib/live.js";
import { marker } from "../widgets/lib/markers.js";
import { groupKeys } from "../widgets/lib/menu.js";
import { createCurrent, createSelection, tellBeforeKeys } from "../widgets/lib/selection.js";
import { createBar, createFilters, createRejectedTable } from "./bar.js";
import { createCards, createPictures } from "./cards.js";
import { listenToPointers } from "./gestures.js";
import { createGrid } from "./grid.js";
import { listenToGalleryKeys } from "./keys.js";
import { createOrder } from "./order.js";

const DRAW_EVERY = 400; // ms, while results come in
const OPEN_AFTER = 120; // ms that the focus rests on a cell before it becomes the current one

function render({ model, el, words, kept, signal }) {
  const { text, number, fill } = words;
  const groups = model.get("groups"); // the classes, then unidentified, then excluded
  const statuses = model.get("statuses"); // the surest first
  const keys = groupKeys(groups);
  const inOrder = createOrder(statuses);
  const items = new Map(); // id -> {id, name, group, model, status, confidence, reviewed, proposed, batch, url}
  let rejected = []; // [name, reason] of each file
  let listed = null; // the rejected files that the table shows
  const everything = { status: "all", group: "all", review: "all" };
  const types = groups.map(({ name }) => name).join("\n");
  let filters = { ...everything, ...kept.filters, ...(types === kept.types ? {} : { group: "all" }) };
  kept.types = types; // a filter by type means nothing to another model
  let run = null; // the run that these items belong to
  let streaming = false;
  let batch = 0;
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
  const none = h("p", { class: "dash-empty" }, text.none, " ", h("button", { type: "button", class: "dash-button dash-small", onclick: () => changeFilters(everything) }, text.show_all));
  const empty = h("p", { class: "dash-empty" }, text.empty);
  const sections = groups.map(makeSection);
  const list = h("div", { class: "dash-rejected-box" });
  root.append(...sections.map(({ section }) => section), none, list);
  el.classList.add("dash-gallery");
  const all = h("div", {}, sieve.el, hint, root, bar.el);
  el.append(empty, all);

  function makeSection(group, index) {
    const grid = createGrid(group.label, make);
    const n = h("span", { class: "dash-number" });
    const key = keys[index] ? h("kbd", { title: fill(text.key, { key: keys[index] }) }, keys[index]) : null;
    const section = h("section", { class: "dash-group", "data-group": index }, h("h2", {}, marker(group, 16), group.label, n, key), grid.el);
    return { index, section, grid, n };
  }

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
    if (message.kind === "reset" || message.kind === "add") add(message);
    if (message.kind === "thumbs") message.ids.forEach((id, i) => pictures.take(items.get(id), buffers[i]));
    if (message.kind === "selected") selection.take(message.ids);
  });

  function begin(message) {
    forget();
    run = message.run;
    clicked = next = null;
    current.begin();
    selection.take(message.selected);
  }

  function forget() {
    for (const { url } of items.values()) if (url) URL.revokeObjectURL(url);
    items.clear();
    rejected = [];
  }

  /** New and changed cells. While more arrive, each batch goes behind the ones before it. */
  function add(message) {
    streaming = message.more;
    batch += 1;
    for (const [id, name, group, said, status, confidence, reviewed, proposed] of message.items) {
      const { url, asked, batch: before } = items.get(id) ?? {};
      items.set(id, { id, name, group, model: said, status, confidence, reviewed, proposed, url, asked, batch: before ?? batch });
    }
    if (!streaming) for (const item of items.values()) item.batch = 0;
    if (message.rejected.length) rejected = rejected.concat(message.rejected);
    plan();
  }

  // --- drawing ---
  function plan() {
    if (!inSight) return;
    if (!streaming) draw();
    else timer ??= setTimeout(draw, Math.max(0, drawn + DRAW_EVERY - Date.now()));
  }

  function draw() {
    clearTimeout(timer);
    timer = null;
    drawn = Date.now();
    const any = items.size + rejected.length > 0;
    empty.hidden = any;
    all.hidden = !any;
    sieve.show(filters, [...items.values()], rejected.length);
    fillSections();
    drawRejected();
    none.hidden = sections.some(({ section }) => !section.hidden) || !list.hidden;
    drawCards();
    showSelection();
    if (next !== null && items.has(next)) goTo(next);
    next = null;
  }

  function fillSections() {
    const members = groups.map(() => []);
    for (const item of items.values()) if (passes(item)) members[item.group].push(item);
    sections.forEach(({ grid, section, n }, index) => {
      const mine = members[index].sort(inOrder);
      section.hidden = !mine.length;
      n.textContent = number(mine.length);
      grid.fill(mine);
      grid.measure(kept.inRows);
    });
  }

  function passes(item) {
    const { status, group, review: wanted } = filters;
    const done = review(item);
    const known = ["all", done || (item.status === "ok" ? "open" : "doubtful"), done ? "reviewed" : "open", item.proposed && "proposed"];
    return (status === "all" || status === item.status) && (group === "all" || Number(group) === item.group) && known.includes(wanted);
  }

  /** All places are read before anything is written. Otherwise the browser would lay out the page for each group. */
  function drawCards() {
    if (!el.offsetParent) return; // in a hidden tab all groups have the same place
    const tops = sections.map(({ grid }) => grid.el.getBoundingClientRect().top);
    sections.forEach(({ grid }, i) => grid.draw(tops[i]));
    showOnCards();
    pictures.plan();
  }

  function drawRejected() {
    list.hidden = !rejected.length || !["all", "rejected"].includes(filters.status) || filters.group !== "all" || filters.review !== "all";
    if (listed === rejected) return;
    listed = rejected;
    list.replaceChildren(createRejectedTable(words, rejected));
  }

  const cards = () => sections.flatMap(({ grid }) => [...grid.cards.values()]);
  const order = () => sections.flatMap(({ grid }) => grid.items().map(({ id }) => id));
  const pictures = createPictures(cards, (ids) => model.send({ kind: "thumbs", ids }));

  let waiting = null;
  let resized = false;
  function redraw() {
    if (inSight) waiting ??= requestAnimationFrame(drawAgain);
  }
  function drawAgain() {
    waiting = null;
    if (resized) for (const { grid } of sections) grid.measure(kept.inRows);
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
    const where = sections.find(({ grid }) => grid.place(id) !== undefined);
    if (!where) return;
    where.grid.focus(id);
    current.at(id, OPEN_AFTER);
  }

  /** The viewer's keys have led to another cell. The focus follows, so that the next key acts on that cell. */
  function follow(id) {
    const focused = document.activeElement?.closest?.(".dash-card");
    const where = sections.find(({ grid, section }) => !section.hidden && grid.place(id) !== undefined);
    if (focused && el.contains(focused) && focused.item.id !== id) where?.grid.focus(id);
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
      selection.set([...before, ...sections.flatMap(({ grid }) => grid.touched(box))]);
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
    sections: () => sections.filter(({ section }) => !section.hidden),
    keys,
    selection,
    order,
    goTo,
    act: (message, id) => act(message, selection.size() ? selection.all() : [id]),
    again: (kind) => model.send({ kind }),
  });

  el.addEventListener("dash:show", ({ detail }) => changeFilters({ ...everything, review: detail }), { signal });
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
    forget();
  };
}

export default { render: live(render) };
