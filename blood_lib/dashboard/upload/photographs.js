// What a person may say of photographs before they are uploaded: what they show, and how large a pixel is.

import { h } from "../widgets/lib/dom.js";

/** `kept.photographs` is what was chosen and typed, when the page changes its language. */
export function createPhotographs(model, words, kept) {
  const { text, number } = words;
  const said = (kept.photographs ??= { open: false, what: "", size: "", fits: true });
  const kinds = ["", ...model.get("kinds")];
  const options = kinds.map((kind) => h("option", { value: kind, selected: kind === said.what }, text[`kind_${kind || "look"}`]));
  const what = h("select", { class: "dash-select", "aria-label": text.kind }, ...options);
  const size = h("input", { class: "dash-pixel-size", type: "text", inputmode: "decimal", maxlength: 12, value: said.size, "aria-describedby": "dash-pixel-note" });
  const problem = h("p", { class: "dash-strip dash-error", role: "alert", hidden: true });
  const rows = h("div", { class: "dash-photographs-rows" }, h("label", {}, h("span", {}, text.kind), what), h("label", {}, h("span", {}, text.pixel_size), size));
  const el = h("details", { class: "dash-photographs", open: said.open }, h("summary", {}, text.photographs), rows, problem, h("p", { class: "dash-muted dash-fine", id: "dash-pixel-note" }, text.pixel_note));

  el.addEventListener("toggle", () => (said.open = el.open));
  what.addEventListener("change", () => {
    said.what = what.value;
    model.send({ kind: "show", what: what.value || null });
  });
  size.addEventListener("change", () => {
    said.size = size.value;
    model.send({ kind: "pixel_size", text: size.value });
  });
  model.on("msg:custom", (message) => {
    if (message.kind !== "pixel_size") return;
    said.fits = message.fits;
    show();
  });

  function show() {
    const [low, high] = model.get("pixel_sizes").map((limit) => number(limit, limit < 1 ? 2 : 0));
    problem.hidden = said.fits;
    problem.textContent = said.fits ? "" : words.fill(text.bad_pixel_size, { text: said.size, low, high });
    size.setAttribute("aria-invalid", !said.fits);
  }
  show();
  return { el };
}
