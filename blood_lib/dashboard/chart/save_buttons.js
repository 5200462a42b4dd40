// Saves the review, to continue it later or on another computer.

import { h } from "../widgets/lib/dom.js";
import { live } from "../widgets/lib/live.js";

function render({ model, el, words }) {
  const { text } = words;
  const button = (label, message, style = "") => h("button", { type: "button", class: `dash-button ${style}`, onclick: () => model.send(message) }, label);
  const box = h(
    "section",
    { class: "dash-surface dash-keep" },
    h("h2", {}, text.title),
    h("p", { class: "dash-muted" }, text.note),
    h(
      "div",
      { class: "dash-buttons" },
      button(text.with_images, { kind: "save", images: true }, "dash-primary"),
      button(text.without_images, { kind: "save", images: false }),
    ),
  );
  el.append(box);

  const draw = () => (box.hidden = !model.get("some"));
  model.on("change:some", draw);
  draw();
}

export default { render: live(render) };
