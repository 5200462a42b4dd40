// The ring around the selected cell on the map: an element over the figure, since plotly would draw every point anew
// for a shape of its own.

function render({ model, el, signal }) {
  const ring = h("span", { class: "dash-ring", hidden: true });
  let figure = null;
  el.classList.add("dash-ring-layer");
  el.append(ring);

  function show() {
    const place = model.get("place");
    const axes = figure?._fullLayout;
    ring.hidden = !place.length || !axes?.xaxis;
    if (ring.hidden) return;
    const [x, y] = [shareOf(axes.xaxis, place[0]), 1 - shareOf(axes.yaxis, place[1])];
    ring.style.left = `${axes.xaxis._offset + x * axes.xaxis._length}px`;
    ring.style.top = `${axes.yaxis._offset + y * axes.yaxis._length}px`;
  }

  /** How far along an axis a value lies; by its range, which is right while the map is being moved, too. */
  function shareOf({ range: [from, to] }, value) {
    return (value - from) / (to - from);
  }

  function attach() {
    const found = el.closest(".dash-map")?.querySelector(".js-plotly-plot");
    if (!found?.on || found === figure) return;
    figure = found;
    for (const event of ["plotly_afterplot", "plotly_relayout", "plotly_relayouting"]) figure.on(event, show);
    show();
  }
  document.addEventListener("plotlywidget-after-render", attach, { signal });
  whenAttached(el, attach, signal);
  model.on("change:place", show);
}

export default { render: live(render) };
