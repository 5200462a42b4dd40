// The cards of one group. Only those near the screen are in the page, so thousands cost little. layout.js computes
// where each lies.

import { h } from "../widgets/lib/dom.js";
import { START, boxOf, cardsNear, fitCards, gridHeight } from "./layout.js";

/** `makeCard(item)` draws one; an item has an id. When it looks different, a new object replaces it. */
export function createGrid(label, makeCard) {
  const el = h("div", { class: "dash-grid", role: "listbox", "aria-multiselectable": "true", "aria-label": label });
  const cards = new Map(); // id -> card in the page
  let items = [];
  let places = new Map(); // id -> number in items
  let layout = START;
  let stop = null; // the id of the card that the tab key comes to

  function fill(next) {
    items = next;
    places = new Map(items.map((item, i) => [item.id, i]));
  }

  /** Fit the rows to the width that there is. */
  function measure(asList) {
    const whole = el.clientWidth;
    if (whole) layout = fitCards(whole, asList);
    el.style.height = `${gridHeight(layout, items.length)}px`;
  }

  /** The ids of the cards that a rectangle on the screen touches. */
  function touched(frame) {
    const at = el.getBoundingClientRect();
    if (!at.height) return [];
    const some = items.filter((_, i) => {
      const { left, top, right, bottom } = boxOf(layout, i);
      return at.left + left < frame.right && at.left + right > frame.left && at.top + top < frame.bottom && at.top + bottom > frame.top;
    });
    return some.map(({ id }) => id);
  }

  /** Put the cards near the screen into the page; `top`: where on the screen the grid begins. */
  function draw(top) {
    show(items.slice(...cardsNear(layout, top, window.innerHeight)));
  }

  function show(some) {
    const focused = document.activeElement?.parentElement === el ? document.activeElement : null;
    if (focused && places.has(focused.item.id)) stop = focused.item.id;
    if (!places.has(stop)) stop = items[0]?.id ?? null;
    const wanted = new Set(some.map(({ id }) => id));
    wanted.add(stop); // the tab key reaches every group, and the focused card stays
    for (const [id, card] of cards) {
      const item = items[places.get(id)];
      if (wanted.has(id) && item === card.item) continue;
      card.remove();
      cards.delete(id);
    }
    const order = [...wanted].filter((id) => places.has(id)).sort((a, b) => places.get(a) - places.get(b));
    order.forEach(place);
    for (const [id, card] of cards) card.tabIndex = id === stop ? 0 : -1;
    const again = focused && cards.get(focused.item.id);
    if (again && again !== document.activeElement) again.focus({ preventScroll: true });
  }

  /** Put the card with this id at its place, also in the order of the page, which screen readers follow. */
  function place(id, at) {
    const i = places.get(id);
    const card = cards.get(id) ?? makeCard(items[i]);
    card.item = items[i];
    cards.set(id, card);
    const { left, top } = boxOf(layout, i);
    Object.assign(card.style, { transform: `translate(${left}px, ${top}px)`, width: `${layout.width}px`, height: `${layout.height}px` });
    card.setAttribute("aria-posinset", i + 1);
    card.setAttribute("aria-setsize", items.length);
    if (el.children[at] !== card) el.insertBefore(card, el.children[at] ?? null);
  }

  /** Go to the card with this id, wherever it is. */
  function focus(id) {
    show([...[...cards.values()].map(({ item }) => item).filter((item) => places.has(item.id)), items[places.get(id)]]);
    cards.get(id).scrollIntoView({ block: "nearest" });
    cards.get(id).focus({ preventScroll: true });
  }

  return { el, cards, fill, measure, touched, draw, focus, items: () => items, place: (id) => places.get(id), columns: () => layout.columns };
}
