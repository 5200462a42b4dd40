// One cell, large: its image, where the model looked, its answer, and the group that people gave it. Shown beside the
// gallery and beside the map. Built once, so that focus, zoom and slider stay as they are from cell to cell.

import { h, share } from "../widgets/lib/dom.js";
import { openTab } from "../widgets/lib/events.js";
import { ZOOM_STEP } from "../widgets/lib/geometry.js";
import { live, whenAttached } from "../widgets/lib/live.js";
import { badge, marker } from "../widgets/lib/markers.js";
import { groupChoices, groupKeys, openMenu } from "../widgets/lib/menu.js";
import { pictureUrl } from "../widgets/lib/pictures.js";
import { createScaleBar } from "../widgets/lib/scale_bar.js";
import { plane } from "./plane.js";
import { zoomable } from "./zoom.js";

const PAN_STEP = 0.1; // of the picture's side, for a key

function render({ model, el, words, signal }) {
  const { text, fill, count, number, percent } = words;
  const groups = model.get("groups"); // the classes, then unidentified, then excluded
  const n = groups.length - 2;
  const keys = groupKeys(groups);
  const urls = {}; // name of a picture -> its blob URL
  const tell = (kind, more = {}) => model.send({ kind, ...more });
  const cellIs = () => model.get("cell");

  const empty = h("p", { class: "dash-empty" }, text.empty);
  const left = makeLeft();
  const head = makeHead();
  const picture = makePicture();
  const decide = makeDecide();
  const facts = makeFacts();
  const parts = [head, picture, decide, facts];
  el.classList.add("dash-viewer");
  el.tabIndex = -1;
  el.append(left, empty, ...parts.map((part) => part.el));

  // --- what is shown ---
  function showCell() {
    const cell = cellIs();
    const none = cell.id === undefined;
    el.classList.toggle("dash-viewer-empty", none);
    empty.hidden = !none;
    for (const part of parts) {
      part.el.hidden = none;
      if (!none) part.show(cell);
    }
  }

  /** How many doubtful cells nobody has decided, and the way to the next one. */
  function makeLeft() {
    const n = h("span", { role: "status" });
    const next = button(text.next_doubtful, "N", () => tell("step", { by: 1, doubtful: true }));
    const row = h("div", { class: "dash-left" }, n, next);
    function show() {
      const now = model.get("left");
      row.hidden = now === null;
      next.hidden = !now;
      n.textContent = now ? count("left", now) : text.none_left;
    }
    model.on("change:left", show);
    show();
    return row;
  }

  function makeHead() {
    const name = h("p", { class: "dash-name dash-muted" });
    const at = h("span", { class: "dash-number dash-muted" });
    const label = h("h2", { "aria-live": "polite" });
    const said = h("p", { class: "dash-said" });
    const doubt = h("p", { class: "dash-viewer-status" });
    const proposal = h("p", { "aria-live": "polite" });
    const answers = [button(text.accept, "A", () => tell("accept")), button(text.dismiss, "L", () => tell("dismiss"))];
    const proposed = h("div", { class: "dash-strip dash-notice dash-proposed" }, proposal, ...answers);
    const measured = h("p", { class: "dash-fine" });
    const inField = button(text.in_field, "", () => openTab(el, "fields"), "dash-in-field");
    const bar = h("div", { class: "dash-viewer-bar" }, at, h("span", { class: "dash-viewer-buttons" }, small("‹", text.previous, () => tell("step", { by: -1 })), small("›", text.next, () => tell("step", { by: 1 })), small("?", text.keys, askForKeys, "dash-wants-keys"), small("×", text.close, () => tell("close"), "dash-close")));
    return {
      el: h("div", { class: "dash-viewer-head" }, bar, label, said, doubt, proposed, measured, name, inField),
      show(cell) {
        const answer = fill(text.said, { label: groups[cell.said].label, confidence: percent(cell.confidence, 1) });
        const done = { person: cell.moved ? "moved" : "confirmed", bulk: "bulk" }[cell.decided];
        const mine = done && badge(words, done, text[done]);
        name.textContent = cell.name;
        inField.hidden = !cell.field;
        const facts = [cell.diameter_um && fill(text.diameter, { um: number(cell.diameter_um, 1) }), cell.drawn && text.drawn].filter(Boolean);
        measured.textContent = facts.join(" ");
        measured.hidden = !facts.length;
        at.textContent = fill(text.at, { at: cell.at, total: cell.total });
        label.replaceChildren(marker(groups[cell.group], 18), groups[cell.group].label);
        said.replaceChildren(...(mine ? [mine, " "] : []), answer);
        doubt.hidden = cell.status === "ok";
        if (cell.status !== "ok") doubt.replaceChildren(badge(words, cell.status, cell.status_word), " ", cell.reason);
        proposed.hidden = cell.proposal === null;
        if (!proposed.hidden) proposal.replaceChildren(marker(groups[cell.proposal], 14), " ", fill(text.proposed, { label: groups[cell.proposal].label }));
      },
    };
  }

  function makePicture() {
    const image = h("img", { class: "dash-image", draggable: "false", decoding: "sync" });
    const heat = h("img", { class: "dash-heat", alt: "", draggable: "false" });
    const frame = h("span", { class: "dash-frame" });
    const inner = h("div", { class: "dash-picture-inner" }, image, heat, frame);
    const scale = h("output", { class: "dash-number dash-muted" });
    const bar = createScaleBar(words);
    const box = h("div", { class: "dash-picture" }, inner, bar.el);
    let zoom = 1;
    const zoomer = zoomable(box, inner, (now) => {
      zoom = now;
      scale.textContent = `${Math.round(100 * now)} %`;
      showScaleBar();
    });
    const sizes = new ResizeObserver(showScaleBar);
    sizes.observe(box);
    signal.addEventListener("abort", () => sizes.disconnect());
    const buttons = h("span", { class: "dash-zoom" }, small("−", text.zoom_out, () => zoomer.zoom(1 / ZOOM_STEP)), scale, small("+", text.zoom_in, () => zoomer.zoom(ZOOM_STEP)));
    const slider = h("input", { type: "range", min: 0, max: 100, "aria-label": text.heat });
    const note = h("p", { class: "dash-muted dash-fine" });
    let before = model.get("strength"); // the strength before the overlay was hidden by a key
    slider.addEventListener("input", () => setStrength(Number(slider.value)));
    slider.addEventListener("pointerup", () => slider.blur()); // so that the arrow keys go through the cells again
    zoomer.whole();

    function setStrength(value) {
      model.set("strength", value); // for the viewer in the other tab; Python is not told
      showStrength();
    }
    function showStrength() {
      const strength = model.get("strength");
      slider.value = strength;
      heat.style.opacity = strength / 100;
      frame.hidden = strength === 0 || !framed(cellIs());
    }
    function toggle() {
      if (model.get("strength")) before = model.get("strength");
      setStrength(model.get("strength") ? 0 : before || 100);
    }
    function showScaleBar() {
      const { um_wide: wide } = cellIs();
      bar.show(wide ? wide / (box.clientWidth * zoom) : null);
    }
    function showImage() {
      image.src = url("image", "image/jpeg");
    }
    function showHeat() {
      const source = url("heat", "image/png");
      heat.hidden = !source;
      if (source) heat.src = source;
    }
    showImage();
    showHeat();
    model.on("change:image", showImage);
    model.on("change:heat", showHeat);
    model.on("change:strength", showStrength);
    return {
      el: h("div", { class: "dash-heat-view" }, box, h("div", { class: "dash-heat-bar" }, h("label", { class: "dash-slider" }, h("span", {}, text.heat), slider), buttons), note),
      show(cell) {
        const { left, top, width, height } = cell.frame;
        const place = { left: share(left), top: share(top), width: share(width), height: share(height) };
        box.style.aspectRatio = `${cell.size[0]} / ${cell.size[1]}`;
        box.style.setProperty("--ratio", cell.size[0] / cell.size[1]);
        image.alt = cell.name;
        Object.assign(heat.style, place);
        Object.assign(frame.style, place);
        note.textContent = fill(text.heat_note, { label: groups[cell.said].label }) + (framed(cell) ? ` ${text.frame_note}` : "");
        showStrength();
        showScaleBar();
      },
      zoomer,
      toggle,
    };
  }

  function makeDecide() {
    const confirm = button(text.confirm, "C", () => tell("confirm"), "dash-primary");
    const move = button(text.move, "M", openGroups);
    const others = ["unidentified", "excluded"].map((name, i) => button(text[name], keys[n + i], () => tell("move", { group: n + i })));
    const back = button(text.back, "", () => tell("move", { group: null }), "dash-quiet");
    move.setAttribute("aria-haspopup", "menu");
    return {
      el: h("div", { class: "dash-decide" }, confirm, move, ...others, back),
      move,
      show(cell) {
        confirm.disabled = cell.decided === "person";
        others.forEach((other, i) => other.setAttribute("aria-pressed", cell.decided === "person" && cell.group === n + i));
        back.hidden = cell.decided === "no";
      },
    };
  }

  function openGroups() {
    openMenu(decide.move, text.move, groupChoices(groups), (group) => tell("move", { group }));
  }

  function makeFacts() {
    const second = h("p", { class: "dash-fine" });
    const subtype = h("p", { class: "dash-fine" });
    const bars = h("ul", { class: "dash-probabilities" });
    const chips = h("ul", { class: "dash-neighbours" });
    const around = plane(groups, model.get("plane_side"));
    const near = h("section", {}, h("h3", {}, text.neighbours), chips, around.el, h("p", { class: "dash-muted dash-fine" }, text.near_note));

    function showNear() {
      const { counts, neighbours, place } = model.get("near");
      near.hidden = !counts;
      if (!counts) return;
      around.draw(model.get("reference"));
      chips.replaceChildren(...counts.map(([group, times]) => h("li", { class: "dash-chip dash-chip-still" }, marker(groups[group], 12), `${groups[group].label} `, h("span", { class: "dash-number" }, String(times)))));
      const list = counts.map(([group, times]) => `${groups[group].label} ${times}`).join(", ");
      around.show(neighbours, place, fill(text.near_label, { counts: list }));
    }
    showNear();
    model.on("change:near", showNear);
    return {
      el: h("div", { class: "dash-facts" }, h("section", {}, h("h3", {}, text.probabilities), second, bars, subtype), near),
      show(cell) {
        const [, [other, p]] = cell.probabilities;
        second.textContent = fill(text.second, { label: groups[other].label, confidence: percent(p, 1) });
        subtype.hidden = !cell.subtype;
        if (cell.subtype) subtype.textContent = fill(text.subtype, { label: cell.subtype[0], confidence: percent(cell.subtype[1], 1) });
        bars.replaceChildren(...cell.probabilities.map(([group, q]) => bar(groups[group], q)));
      },
    };
  }

  // --- pieces ---
  function bar(group, p) {
    return h("li", {}, h("span", { class: "dash-bar-name" }, marker(group, 12), group.label), h("span", { class: "dash-bar-track" }, h("span", { class: "dash-bar-fill", style: { width: share(p), background: group.colour } })), h("span", { class: "dash-number" }, percent(p, 1)));
  }

  function small(sign, label, onclick, more = "") {
    return h("button", { type: "button", class: `dash-button dash-small ${more}`, "aria-label": label, title: label, onclick }, sign);
  }

  function button(label, key, onclick, more = "") {
    return h("button", { type: "button", class: `dash-button dash-small ${more}`, "aria-keyshortcuts": key || null, onclick }, label, key ? h("kbd", { "aria-hidden": "true" }, key) : null);
  }

  function askForKeys() {
    el.dispatchEvent(new CustomEvent("dash:keys", { bubbles: true }));
  }

  /** Whether the network saw less than the whole image. */
  function framed(cell) {
    return cell.id !== undefined && cell.frame.width * cell.frame.height < 0.999;
  }

  function url(name, type) {
    if (urls[name]) URL.revokeObjectURL(urls[name]);
    urls[name] = pictureUrl(model.get(name), type);
    return urls[name];
  }

  // --- keys ---
  const acts = {
    step: ({ by, doubtful, scrolls }) => (open() || !scrolls) && tell("step", { by, doubtful }),
    confirm: () => tell("confirm", { selected: true }),
    accept: () => tell("accept", { selected: true }),
    dismiss: () => tell("dismiss", { selected: true }),
    group: ({ key }) => keys.includes(key) && tell("move", { group: keys.indexOf(key), selected: true }),
    menu: () => open() && openGroups(),
    heat: () => open() && picture.toggle(),
    zoom: ({ by }) => open() && (by ? picture.zoomer.zoom(ZOOM_STEP ** by) : picture.zoomer.whole()),
    pan: ({ by }) => open() && picture.zoomer.pan(...by.map((step) => PAN_STEP * step)),
    close() {
      tell("close"); // Python may be about to show a cell
      return open();
    },
  };
  const open = () => cellIs().id !== undefined;
  whenAttached(
    el,
    (root) => {
      const onDo = (event) => {
        // The place of the viewer counts: in a narrow window an empty viewer is hidden.
        const inSight = el.closest(".dash-side").getClientRects().length > 0;
        if (inSight && acts[event.detail.what] && acts[event.detail.what](event.detail) !== false) event.preventDefault();
      };
      root.addEventListener("dash:do", onDo, { signal });
    },
    signal,
  );

  let shown; // the id of the cell that was shown last
  model.on("change:cell", () => {
    showCell();
    const { id } = cellIs();
    if (id !== shown && id !== undefined && el.getClientRects().length) takeFocus();
    shown = id;
  });
  showCell();

  /** Take the focus from a tab or from nowhere, so that the arrow keys go through the cells. */
  function takeFocus() {
    const focused = document.activeElement;
    if (focused === document.body || focused?.getAttribute("role") === "tab") el.focus({ preventScroll: true });
  }

  return () => Object.values(urls).forEach((address) => URL.revokeObjectURL(address));
}

export default { render: live(render) };
