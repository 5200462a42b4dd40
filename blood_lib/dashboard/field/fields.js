// Whole fields: the strip of all, and the one that is open with the boxes of its cells. stage.js shows it, editing.js
// changes its boxes, bar.js stands around it.

import { h } from "../widgets/lib/dom.js";
import { ZOOM_STEP } from "../widgets/lib/geometry.js";
import { live } from "../widgets/lib/live.js";
import { pictureUrl } from "../widgets/lib/pictures.js";
import { createCurrent, tellBeforeKeys } from "../widgets/lib/selection.js";
import { createBar, createLegend } from "./bar.js";
import { createEditing } from "./editing.js";
import { createStage } from "./stage.js";
import { createStrip } from "./strip.js";

const PAN = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
const ZOOM_KEYS = { "+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP };
const WALK = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function render({ model, el, words, kept, signal }) {
  const { text, fill, percent } = words;
  const signs = model.get("signs");
  const groups = model.get("groups");
  const classes = model.get("classes");
  const off = (kept.off ??= new Set()); // classes of the detector that are not drawn
  let url = "";
  let field = null;
  const tell = (kind, more = {}) => model.send({ kind, ...more });

  const stage = createStage(words, groups, classes, { describe, busy: () => kept.editing, onScale: (now) => bar.scale(now), onAppear: () => stage.bring(current.id()) });
  const bar = createBar(words, {
    edit: () => setEditing(!kept.editing),
    add: () => (editing.add(), stage.el.focus({ preventScroll: true })),
    remove: () => tell("remove", { id: current.id() }),
    keep: () => editing.finish(true),
    cancel: () => editing.finish(false),
    undo: () => tell("undo"),
    redo: () => tell("redo"),
    zoom: (factor) => stage.zoomer.zoom(factor),
  });
  const legend = createLegend(words, groups, classes, toggle);
  const facts = h("ul", { class: "dash-field-facts dash-fine" });
  const strip = createStrip(words, signs, { ask: (ids) => tell("previews", { ids }), show: (id) => tell("show", { id }) });
  const main = h("div", { class: "dash-open-field" }, bar.el, stage.el, bar.below, legend.el, facts);
  const all = h("div", { class: "dash-field-split" }, strip.el, main);
  el.classList.add("dash-fields");
  el.append(all);

  const current = createCurrent(model, draw, (id) => (draw(), stage.bring(id)));
  tellBeforeKeys(el, signal, { tellNow() {} }, current);
  const editing = createEditing(stage, signal, {
    field: () => field,
    current: current.id,
    editing: () => Boolean(kept.editing),
    open: choose,
    keep: ({ id, box }) => (id === null ? tell("draw", { field: field.id, box }) : tell("move", { id, box })),
    remove: (id) => tell("remove", { id }),
    changed: showBar,
  });

  function choose(id) {
    current.at(id);
    stage.bring(id);
  }

  // --- what is shown ---
  /** In words, as the gallery says it. */
  function describe({ number: n, group, status, review, confidence, drawn }) {
    const said = fill(text.certain, { label: groups[group].label, confidence: percent(confidence), status: text[`is_${status}`] });
    return [`${n}`, said, review && text[review], drawn && text.by_hand].filter(Boolean).join(". ");
  }

  function read({ cells, ...rest }) {
    const signOf = (status, review, drawn) => [signs[review || status], drawn && signs.drawn].filter(Boolean).join("");
    return { ...rest, cells: cells.map(([id, number, box, group, status, review, drawn, confidence]) => ({ id, number, box, group, status, review, drawn, confidence, sign: signOf(status, review, drawn) })) };
  }

  function takeField() {
    const now = model.get("field");
    const other = now.id !== field?.id;
    field = now.id === undefined ? null : read(now);
    all.hidden = !field;
    if (other) editing.drop();
    draw();
  }

  function draw() {
    strip.draw(model.get("strip"), field?.id);
    if (!field) return;
    stage.show(field, current.id(), off, Boolean(kept.editing));
    legend.show(field, off);
    facts.replaceChildren(...field.facts.map((fact) => h("li", {}, fact)));
    editing.refresh();
  }

  function showBar(draft) {
    if (!field) return;
    bar.show({
      title: field.name,
      editing: Boolean(kept.editing),
      draft,
      chosen: field.cells.some(({ id }) => id === current.id()),
      canDraw: field.can_draw,
      canUndo: model.get("can_undo"),
      canRedo: model.get("can_redo"),
    });
  }

  function takePicture() {
    if (url) URL.revokeObjectURL(url);
    url = pictureUrl(model.get("picture"), "image/jpeg");
    stage.image.hidden = !url;
    if (url) stage.image.src = url;
  }

  function toggle(i) {
    if (!off.delete(i)) off.add(i);
    draw();
    legend.el.querySelectorAll("button")[classes.slice(0, i).filter(({ named }) => !named).length]?.focus();
  }

  function setEditing(on) {
    kept.editing = on;
    stage.el.classList.toggle("dash-editing", on);
    editing.drop();
    draw();
  }

  // --- keys, while the focus is on the field ---
  stage.el.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !onKey(event)) return;
    event.preventDefault(); // or the viewer would do something, too
  }, { signal });

  function onKey(event) {
    const { key, shiftKey } = event;
    const focused = Number(event.target.closest?.("[data-id]")?.dataset.id);
    if (kept.editing && focused && focused !== current.id() && !editing.draft()) current.at(focused);
    if (editing.onKey(event)) return true;
    if ((key === "Enter" || key === " ") && focused) current.at(focused);
    else if (shiftKey && PAN[key]) stage.zoomer.pan(...PAN[key]);
    else if (ZOOM_KEYS[key]) stage.zoomer.zoom(ZOOM_KEYS[key]);
    else if (key === "0") stage.zoomer.whole();
    else if (WALK[key] && field.cells.length && !kept.editing) walk(WALK[key]);
    else return false;
    return true;
  }

  /** To the next cell of the field, row by row. */
  function walk(by) {
    const ids = field.cells.map(({ id }) => id);
    const at = ids.indexOf(current.id());
    const id = ids[(at < 0 ? (by > 0 ? 0 : ids.length - 1) : at + by + ids.length) % ids.length];
    current.at(id);
    stage.find(id)?.focus({ preventScroll: true });
  }

  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "previews") strip.take(message.ids, buffers);
    if (message.kind === "settled") editing.drop();
  });
  model.on("change:field", takeField);
  model.on("change:strip", draw);
  model.on("change:picture", takePicture);
  for (const name of ["can_undo", "can_redo"]) model.on(`change:${name}`, () => showBar(editing.draft()));
  takePicture();
  takeField();
  setEditing(Boolean(kept.editing));

  return () => {
    strip.stop();
    stage.stop();
    current.stop();
    if (url) URL.revokeObjectURL(url);
  };
}

export default { render: live(render) };
