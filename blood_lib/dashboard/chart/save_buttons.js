// Saves the review, to go on with it another time or elsewhere.

function render({ model, el }) {
  const text = model.get("text");
  const button = (words, message, style = "") => h("button", { type: "button", class: `dash-button ${style}`, onclick: () => model.send(message) }, words);
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
