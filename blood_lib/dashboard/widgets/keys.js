// Keys that work wherever the focus is, except in inputs, dialogs and menus; and the list of them, behind "?".
// Each key becomes an event "dash:do". A listener that acts on it prevents the event's default.

import { h } from "./lib/dom.js";
import { requestOf } from "./lib/key_map.js";
import { live, whenAttached } from "./lib/live.js";

const WRITING = "input, select, textarea, [contenteditable], dialog, [role=menu]";

function render({ model, el, words, signal }) {
  const { text } = words;
  const rows = model.get("rows").map(([keys, name]) => h("tr", {}, h("td", {}, ...keys.map((key) => (key === "…" ? "…" : h("kbd", {}, key)))), h("td", {}, text[name])));
  const close = h("button", { type: "button", class: "dash-button", onclick: () => list.close() }, text.done);
  const list = h("dialog", { class: "dash-keys", "aria-label": text.title }, h("h2", {}, text.title), h("p", { class: "dash-muted dash-fine" }, text.note), h("table", {}, h("tbody", {}, ...rows)), close);
  el.append(list);

  /** Do it here, or send the event; true if something was done. */
  function act(detail, root) {
    if (detail.what === "help") list.showModal();
    else if (detail.what === "undo" || detail.what === "redo") model.send({ kind: detail.what });
    else return !root.dispatchEvent(new CustomEvent("dash:do", { cancelable: true, detail }));
    return true;
  }

  whenAttached(
    el,
    (root) => {
      const onKey = (event) => {
        const here = root.contains(event.target) || event.target === document.body;
        if (!here || event.defaultPrevented || event.target.closest(WRITING)) return;
        const detail = requestOf(event);
        if (detail && act(detail, root)) event.preventDefault();
      };
      document.addEventListener("keydown", onKey, { signal });
      root.addEventListener("dash:keys", () => list.showModal(), { signal });
    },
    signal,
  );
}

export default { render: live(render) };
