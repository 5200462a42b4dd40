// Keys that work wherever the focus is, except where somebody writes or chooses; and the list of them, behind "?".
// What a key does is up to whoever hears the event "dash:do": it says so by preventing the event's default.

const WRITING = "input, select, textarea, [contenteditable], dialog, [role=menu]";
const DO = {
  ArrowRight: { what: "step", by: 1 },
  ArrowDown: { what: "step", by: 1, scrolls: true },
  j: { what: "step", by: 1 },
  ArrowLeft: { what: "step", by: -1 },
  ArrowUp: { what: "step", by: -1, scrolls: true },
  k: { what: "step", by: -1 },
  n: { what: "step", by: 1, doubtful: true },
  c: { what: "confirm" },
  a: { what: "accept" },
  l: { what: "dismiss" },
  m: { what: "menu" },
  h: { what: "heat" },
  "+": { what: "zoom", by: 1 },
  "=": { what: "zoom", by: 1 },
  "-": { what: "zoom", by: -1 },
  0: { what: "zoom", by: 0 },
  Escape: { what: "close" },
  "?": { what: "help" },
};
const PAN = { ArrowRight: [-1, 0], ArrowLeft: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/** What a key asks for: {what, ...}, or undefined. */
function wish(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return { z: { what: event.shiftKey ? "redo" : "undo" }, y: { what: "redo" } }[key];
  if (event.shiftKey && PAN[key]) return { what: "pan", by: PAN[key] };
  if (DO[key]) return DO[key];
  return key.length === 1 ? { what: "group", key: key.toUpperCase() } : undefined; // whether it is one, the viewer knows
}

function render({ model, el, signal }) {
  const text = model.get("text");
  const rows = model.get("rows").map(([keys, name]) => h("tr", {}, h("td", {}, ...keys.map((key) => (key === "…" ? "…" : h("kbd", {}, key)))), h("td", {}, text[name])));
  const close = h("button", { type: "button", class: "dash-button", onclick: () => list.close() }, text.done);
  const list = h("dialog", { class: "dash-keys", "aria-label": text.title }, h("h2", {}, text.title), h("p", { class: "dash-muted dash-fine" }, text.note), h("table", {}, h("tbody", {}, ...rows)), close);
  el.append(list);

  /** Do it, or pass it on; true when somebody took it. */
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
        const detail = wish(event);
        if (detail && act(detail, root)) event.preventDefault();
      };
      document.addEventListener("keydown", onKey, { signal });
      root.addEventListener("dash:keys", () => list.showModal(), { signal });
    },
    signal,
  );
}

export default { render: live(render) };
