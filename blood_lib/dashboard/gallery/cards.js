// What a cell looks like in the gallery, and its small picture, asked for only while its card is in the page.

import { h } from "../widgets/lib/dom.js";
import { marker } from "../widgets/lib/markers.js";
import { pictureUrl } from "../widgets/lib/pictures.js";

const ASK_AT_ONCE = 48; // pictures in one request
const ASK_AFTER = 30; // ms: cards that are scrolled past are not asked for
const ASK_AGAIN_AFTER = 4000; // ms without the picture

export function createCards({ text, signs, fill, percent }, groups) {
  /** What people have done with it: "moved", "confirmed", "bulk" or "". */
  const review = ({ decided, group, model }) => (decided === "person" ? (group === model ? "confirmed" : "moved") : decided === "bulk" ? "bulk" : "");

  function describe(item) {
    const said = { label: groups[item.model].label, confidence: percent(item.confidence), status: text[`is_${item.status}`] };
    const done = { moved: text.moved_by_hand, confirmed: text.confirmed_by_hand, bulk: text.accepted_in_bulk }[review(item)];
    return [fill(text.certain, said), done].filter(Boolean).join(". ");
  }

  function make(item) {
    const done = review(item);
    const shown = done === "bulk" && item.status !== "ok" ? [item.status, done] : [done || item.status]; // what is accepted in bulk stays doubtful
    return h(
      "div",
      {
        class: `dash-card dash-card-${shown[0]}`,
        role: "option",
        title: done === "moved" ? `${item.name}\n${describe(item)}` : item.name,
        "aria-label": `${item.name}: ${describe(item)}`,
      },
      h("img", { alt: "", src: item.url || null, decoding: "async", draggable: "false" }),
      h("span", { class: "dash-card-words" }, h("b", {}, item.name), h("span", {}, describe(item))), // shown in the list only
      h("span", { class: "dash-card-line" }, done === "moved" ? marker(groups[item.model], 11) : null, h("span", {}, percent(item.confidence)), ...shown.map((sign) => signs[sign] && h("b", { class: `dash-sign dash-badge-${sign}`, "aria-hidden": "true" }, signs[sign]))),
    );
  }
  return { make, review };
}

/** Asks for the pictures of the cards in the page; `cards()` gives those, `send(ids)` asks for some. */
export function createPictures(cards, send) {
  let timer = null;

  function ask() {
    const missing = cards().filter(({ item }) => item.url === undefined && !(Date.now() - item.asked < ASK_AGAIN_AFTER));
    const some = missing.slice(0, ASK_AT_ONCE).map(({ item }) => item);
    timer = missing.length > some.length ? setTimeout(ask, ASK_AFTER) : null;
    if (!some.length) return;
    for (const item of some) item.asked = Date.now();
    send(some.map(({ id }) => id));
  }

  return {
    plan: () => (timer ??= setTimeout(ask, ASK_AFTER)),
    take(item, buffer) {
      if (!item || item.url !== undefined) return;
      item.url = pictureUrl(buffer, "image/jpeg");
      const card = cards().find((one) => one.item === item);
      if (card && item.url) card.querySelector("img").src = item.url;
    },
    stop: () => clearTimeout(timer),
  };
}
