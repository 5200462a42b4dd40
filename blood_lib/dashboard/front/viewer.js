// One cell, large: its image, where the model looked, what it says. Shown beside the gallery and beside the map.

const STRENGTH = 45; // per cent, where the heat map's slider starts

function render({ model, el }) {
  const text = model.get("text");
  let urls = [];
  let strength = STRENGTH;
  el.classList.add("dash-viewer");

  function draw() {
    urls.forEach((url) => URL.revokeObjectURL(url));
    urls = [];
    const cell = model.get("cell");
    if (cell.id === undefined) {
      el.classList.add("dash-viewer-empty");
      return el.replaceChildren(h("p", { class: "dash-empty" }, text.empty));
    }
    el.classList.remove("dash-viewer-empty");
    el.replaceChildren(head(cell), picture(cell), ...(cell.probabilities.length ? [probabilities(cell)] : []), ...(cell.neighbours.length ? [neighbours(cell)] : []));
  }

  function head(cell) {
    const move = (step, label, sign) => h("button", { type: "button", class: "dash-button dash-small", "aria-label": label, title: label, onclick: () => model.send({ kind: "move", step }) }, sign);
    return h(
      "div",
      { class: "dash-viewer-head" },
      h("div", { class: "dash-viewer-bar" }, h("p", { class: "dash-name dash-muted" }, cell.name), h("span", { class: "dash-viewer-buttons" }, move(-1, text.previous, "‹"), move(1, text.next, "›"), h("button", { type: "button", class: "dash-button dash-small dash-close", "aria-label": text.close, title: text.close, onclick: () => model.send({ kind: "close" }) }, "×"))),
      h("h2", { "aria-live": "polite" }, mark(cell.type, 18), cell.type.label, h("span", { class: "dash-number" }, `${percent(cell.confidence, 1)} ${text.confidence}`)),
      cell.status === "ok" ? null : h("p", { class: "dash-viewer-status" }, badge(cell.status, cell.status_word), " ", cell.reason),
    );
  }

  function picture(cell) {
    const image = keep(pictureUrl(model.get("image"), "image/jpeg"));
    const heat = keep(pictureUrl(model.get("heat"), "image/png"));
    const { left, top, width, height } = cell.frame;
    const place = { left: share(left), top: share(top), width: share(width), height: share(height) };
    const overlay = heat ? h("img", { class: "dash-heat", src: heat, alt: "", style: { ...place, opacity: strength / 100 } }) : null;
    const frame = overlay && width * height < 0.999 ? h("span", { class: "dash-frame", style: place, hidden: strength === 0 }) : null;
    const box = h("div", { class: "dash-picture", style: { aspectRatio: `${cell.size[0]} / ${cell.size[1]}` } }, h("img", { class: "dash-image", src: image, alt: cell.name }), overlay, frame);
    if (!overlay) return box;
    const slider = h("input", { type: "range", min: 0, max: 100, value: strength, "aria-label": text.heat });
    slider.addEventListener("input", () => {
      strength = Number(slider.value);
      overlay.style.opacity = strength / 100;
      if (frame) frame.hidden = strength === 0;
    });
    const note = fill(text.heat_note, { label: cell.type.label }) + (frame ? ` ${text.frame_note}` : "");
    return h("div", {}, box, h("label", { class: "dash-slider" }, h("span", {}, text.heat), slider), h("p", { class: "dash-muted dash-fine" }, note));
  }

  function keep(url) {
    if (url) urls.push(url);
    return url;
  }

  function probabilities(cell) {
    const rows = cell.probabilities.map(({ type, p }) =>
      h("li", {}, h("span", { class: "dash-bar-name" }, mark(type, 12), type.label), h("span", { class: "dash-bar-track" }, h("span", { class: "dash-bar-fill", style: { width: share(p), background: type.colour } })), h("span", { class: "dash-number" }, percent(p, 1))),
    );
    return h("section", {}, h("h3", {}, text.probabilities), h("ul", { class: "dash-probabilities" }, ...rows));
  }

  function neighbours(cell) {
    const chips = cell.neighbours.map(({ type, n }) => h("li", { class: "dash-chip dash-chip-still" }, mark(type, 12), `${type.label} `, h("span", { class: "dash-number" }, String(n))));
    return h("section", {}, h("h3", {}, text.neighbours), h("ul", { class: "dash-neighbours" }, ...chips));
  }

  model.on("change:cell", () => {
    draw();
    // Where the viewer stands below the map, on a phone, a click there would otherwise seem to do nothing.
    if (el.offsetParent && model.get("cell").id !== undefined) el.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
  draw();
  return () => urls.forEach((url) => URL.revokeObjectURL(url));
}

export default { render: live(render) };
