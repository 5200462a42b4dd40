// The bar above the map: whether a drag chooses cells, how many are chosen, and where to put them.

function render({ model, el, signal }) {
  const text = model.get("text");
  const groups = model.get("groups");
  const small = (label, onclick, more = {}) => h("button", { type: "button", class: "dash-button dash-small", onclick, ...more }, label);

  const choose = small(text.choose, () => model.send({ kind: "choose", on: !model.get("choosing") }), { title: text.choose_note });
  const number = h("span", { class: "dash-number", role: "status" });
  const move = small(text.move, openGroups, { "aria-haspopup": "menu" });
  const unmark = small(text.unmark, () => model.send({ kind: "unmark" }));
  const rest = h("span", { class: "dash-marked-move" }, move, unmark);
  el.classList.add("dash-marked");
  el.append(choose, number, rest);

  function openGroups() {
    openMenu(move, text.move, groupChoices(groups), (group) => model.send({ kind: "move", group }));
  }

  function show() {
    const n = model.get("marked");
    choose.setAttribute("aria-pressed", model.get("choosing"));
    number.textContent = n ? count(text, "number", n) : "";
    rest.hidden = n === 0;
  }
  model.on("change:marked", show);
  model.on("change:choosing", show);
  show();
}

export default { render: live(render) };
