// Lets the model learn from corrections. Lists what it then proposes: how many cells would go from which type to which.

import { h } from "../widgets/lib/dom.js";
import { showInGallery } from "../widgets/lib/events.js";
import { live } from "../widgets/lib/live.js";
import { marker } from "../widgets/lib/markers.js";

function render({ model, el, words }) {
  const { text, number, count } = words;
  const types = model.get("types");
  const button = (label, message, style = "") => h("button", { type: "button", class: `dash-button ${style}`, onclick: () => model.send(message) }, label);
  const learn = button(text.learn, { kind: "adapt" }, "dash-small");
  const state = h("p", { class: "dash-muted", role: "status" });
  const look = h("button", { type: "button", class: "dash-button", onclick: () => showInGallery(el, "proposed") }, text.look);
  const pairs = h("ul", { class: "dash-pairs" });
  const all = h("div", { class: "dash-buttons" }, button(text.accept_all, { kind: "accept" }, "dash-primary"), button(text.dismiss_all, { kind: "dismiss" }), look);
  const note = h("p", { class: "dash-muted dash-fine" }, text.bulk);
  const learnt = h("div", { class: "dash-buttons dash-learnt" }, h("span", {}, text.learnt), button(text.save, { kind: "save" }), button(text.forget, { kind: "forget" }, "dash-quiet"));
  const box = h("section", { class: "dash-surface dash-learning" }, h("div", { class: "dash-buttons dash-learning-head" }, h("h2", {}, text.title), state, learn), pairs, all, note, learnt);
  el.append(box);

  function row([before, after, n]) {
    const name = (type) => h("span", { class: "dash-pair-type" }, marker(type), type.label);
    const answer = (kind, label) =>
      h("button", { type: "button", class: "dash-button dash-small", "aria-label": `${label}: ${types[before].label} → ${types[after].label}`, onclick: () => model.send({ kind, pair: [before, after] }) }, label);
    return h("li", {}, h("b", { class: "dash-number" }, number(n)), name(types[before]), "→", name(types[after]), answer("accept", text.accept), answer("dismiss", text.dismiss));
  }

  function draw() {
    const corrections = model.get("corrections");
    const proposed = model.get("pairs");
    const n = proposed.reduce((sum, [, , some]) => sum + some, 0);
    box.hidden = !model.get("some") && !model.get("adapted");
    learn.disabled = !corrections || model.get("busy");
    state.textContent = n ? count("proposed", n) : corrections ? count("corrections", corrections) : text.none;
    pairs.replaceChildren(...proposed.map(row));
    pairs.hidden = all.hidden = note.hidden = !n;
    learnt.hidden = !model.get("adapted");
  }
  for (const name of ["corrections", "pairs", "adapted", "busy", "some"]) model.on(`change:${name}`, draw);
  draw();
}

export default { render: live(render) };
