// The map: all cells among the reference cells. lens.js knows where things lie, plot.js how they look, pointer.js what
// a pointer does, bar.js what stands around the map.

import { h, svg } from "../widgets/lib/dom.js";
import { ZOOM_STEP, clamp, isWithin } from "../widgets/lib/geometry.js";
import { live, whenAttached } from "../widgets/lib/live.js";
import { createCurrent, createSelection, tellBeforeKeys } from "../widgets/lib/selection.js";
import { createBar, createLegend } from "./bar.js";
import { createLens } from "./lens.js";
import { createPlot } from "./plot.js";
import { listenToPointers } from "./pointer.js";

const NEAR_MOUSE = 14; // px from an item's middle
const NEAR_FINGER = 24;
const STEP = 60; // px, of a key
const LONGEST_NAME = 60;
const ZOOM_KEYS = { "+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP };
const ARROWS = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

function render({ model, el, words, kept, signal }) {
  const { text, number, fill, percent } = words;
  const groups = model.get("groups");
  const items = new Map(); // id -> {id, name, x, y, group, status, review, confidence}
  const lens = createLens(kept, see);
  const off = (kept.off ??= new Set()); // groups that are not shown
  const plot = createPlot(groups);
  let atlas = null; // {reach of the zones, places, kinds, raster}
  let zones = null; // the picture of the raster
  let run = null;
  let drawn = []; // [{item, x, y}, ...]
  let waiting = null;
  let untold = true; // the texts do not match the items yet
  let hovered = null; // the item under the mouse

  // --- what is shown ---
  const intro = h("p", { class: "dash-intro" });
  const bar = createBar(words, groups, { choose: () => choose(!kept.choosing), move, clearSelection: () => selection.clear(), zoom: lens.zoom, whole: lens.whole, save });
  const legend = createLegend(words, groups, toggle);
  const canvas = h("canvas", { class: "dash-map-canvas", role: "img", tabindex: 0 });
  const ring = h("span", { class: "dash-ring", hidden: true });
  const line = svg("polygon");
  const lasso = svg("svg", { class: "dash-map-lasso" }, line);
  const tip = h("div", { class: "dash-tip", hidden: true }, h("div"), h("div"));
  const empty = h("p", { class: "dash-empty" }, text.waiting);
  const box = h("div", { class: "dash-map" }, canvas, lasso, ring, tip, empty);
  el.append(intro, bar.el, box, legend.el);

  /** Draw before the next frame, if the map is on the screen. */
  function see() {
    waiting ??= requestAnimationFrame(draw);
  }

  function draw() {
    waiting = null;
    const [width, height] = lens.size();
    if (!width) return; // its tab is hidden: drawing would only cost time
    if (untold) tell();
    if (!atlas) return;
    const ratio = window.devicePixelRatio;
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)]; // empties it
    const { color, accentColor } = getComputedStyle(canvas);
    drawn = plot.draw(canvas, lens, ratio, scene(color, accentColor));
    place();
  }

  function scene(ink, accent) {
    return { ...atlas, zones, off, items: items.values(), selected: selection.has, ink, accent };
  }

  /** Ring and tip lie over the picture: it is not drawn again for them. */
  function place() {
    const ringed = find(current.id());
    ring.hidden = !ringed;
    if (ringed) Object.assign(ring.style, { left: `${ringed.x}px`, top: `${ringed.y}px` });
    const told = find(hovered?.id) ?? (canvas.matches(":focus-visible") ? ringed : null);
    tip.hidden = !told;
    if (!told) return;
    describe(told.item).forEach((line, i) => (tip.children[i].textContent = line));
    const [width] = lens.size();
    tip.style.left = `${clamp(told.x - tip.offsetWidth / 2, 4, Math.max(4, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${told.y > tip.offsetHeight + 24 ? told.y - tip.offsetHeight - 18 : told.y + 18}px`;
  }

  const find = (id) => (id === undefined || id === null ? undefined : drawn.find(({ item }) => item.id === id));

  function describe({ group, status, review, confidence, name }) {
    const doubt = status ? `, ${text.statuses[status]}` : "";
    const said = review ? text.reviews[review] : `${percent(confidence)}${doubt}`;
    return [`${groups[group].label}, ${said}`, name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name];
  }

  /** The items have changed. */
  function change() {
    untold = true;
    see();
  }

  function tell() {
    untold = false;
    const counts = groups.map(() => 0);
    for (const { group } of items.values()) counts[group] += 1;
    const list = counts.flatMap((n, i) => (n ? [`${groups[i].label} ${number(n)}`] : [])).join(", ");
    intro.textContent = items.size ? text.intro : text.empty;
    canvas.setAttribute("aria-label", items.size ? fill(text.label, { counts: list }) : text.empty);
    legend.show(counts, off);
  }

  // --- messages from Python ---
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "atlas") return takeAtlas(message, buffers);
    if (message.kind === "reset") begin(message);
    if (message.run !== run) return undefined;
    if (message.kind === "selected") return selection.take(message.ids);
    if (message.kind === "gone") for (const id of message.ids) items.delete(id);
    if (message.kind === "cells") takeItems(message.names, buffers);
    if (message.kind === "cells" || message.kind === "appearance") takeAppearance(buffers);
    return change();
  });

  function takeAtlas({ bounds, zones: reach }, [places, kinds, raster]) {
    atlas = { reach, places: floats(places), kinds: bytes(kinds), raster: bytes(raster) };
    if (lens.reach(bounds)) off.clear();
    zones = plot.zones(atlas.raster, off);
    empty.remove();
    change();
  }

  function begin(message) {
    items.clear();
    run = message.run;
    current.begin();
    selection.take(message.selected);
  }

  function takeItems(names, [ids, , , places]) {
    const at = floats(places);
    integers(ids).forEach((id, i) => items.set(id, { id, name: names[i], x: at[2 * i], y: at[2 * i + 1] }));
  }

  function takeAppearance([ids, appearance, confidences]) {
    const [values, sure] = [bytes(appearance), floats(confidences)];
    integers(ids).forEach((id, i) => {
      const [group, status, review] = values.subarray(3 * i);
      Object.assign(items.get(id) ?? {}, { group, status, review, confidence: sure[i] });
    });
  }

  // --- what is selected, and the current cell ---
  const selection = createSelection(showSelection, (ids) => model.send({ kind: "select", ids }));
  const current = createCurrent(model, place, follow);
  tellBeforeKeys(el, signal, selection, current);

  function showSelection() {
    bar.show(selection.size(), kept.choosing);
    see();
  }

  function follow(id) {
    const item = items.get(id);
    if (item) lens.bring(item.x, item.y);
    place();
  }

  function choose(on) {
    kept.choosing = on;
    box.classList.toggle("dash-choosing", on);
    showSelection();
  }

  function move(group) {
    model.send({ kind: "move", group, ids: selection.all().filter((id) => !off.has(items.get(id)?.group)) }); // visible ones only
  }

  function toggle(group) {
    if (!off.delete(group)) off.add(group);
    const seen = selection.all().filter((id) => !off.has(items.get(id)?.group));
    if (seen.length < selection.size()) selection.set(seen);
    if (atlas) zones = plot.zones(atlas.raster, off);
    change();
  }

  // --- pointers and keys ---
  function nearest([x, y], far) {
    let found = null;
    for (const one of drawn) {
      const away = Math.hypot(one.x - x, one.y - y);
      if (away <= far) [found, far] = [one.item, away];
    }
    return found;
  }

  listenToPointers(canvas, signal, {
    choosing: () => kept.choosing,
    hover(point) {
      const found = point && nearest(point, NEAR_MOUSE);
      canvas.style.cursor = found ? "pointer" : "";
      if (found === hovered) return;
      hovered = found;
      place();
    },
    click(point, event) {
      const found = nearest(point, event.pointerType === "touch" ? NEAR_FINGER : NEAR_MOUSE);
      if (found && kept.choosing) selection.toggle(found.id);
      else if (found) current.at(found.id);
    },
    twice: () => (kept.choosing ? selection.clear() : lens.whole()),
    zoom: lens.zoom,
    pan: lens.pan,
    trace: (points) => line.setAttribute("points", points ? points.join(" ") : ""),
    lasso(points, event) {
      const within = drawn.filter(({ x, y }) => isWithin([x, y], points)).map(({ item }) => item.id);
      const more = event.shiftKey || event.ctrlKey || event.metaKey;
      if (event.altKey) selection.set(selection.all().filter((id) => !within.includes(id)));
      else selection.set(more ? [...selection.all(), ...within] : within);
    },
  });

  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !onKey(event)) return;
    event.preventDefault(); // or the viewer would zoom, too
  }, { signal });

  /** True if the key was one of the map's. Arrow keys without shift go through the cells: see key_map.js. */
  function onKey({ key, shiftKey }) {
    if (shiftKey && ARROWS[key]) lens.pan(...ARROWS[key]);
    else if (ZOOM_KEYS[key]) lens.zoom(ZOOM_KEYS[key]);
    else if (key === "0") lens.whole();
    else if (key === " " && items.has(current.id())) selection.toggle(current.id());
    else if (key === "Escape" && selection.size()) selection.clear();
    else return false;
    return true;
  }
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, place, { signal });

  // --- the picture as a file ---
  function save() {
    const [width, height] = lens.size();
    if (!width || !atlas) return;
    const paper = h("canvas", { width: 2 * width, height: 2 * height });
    const pen = paper.getContext("2d");
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, paper.width, paper.height);
    plot.draw(paper, lens, 2, scene("#1a2330", "#1f5fbf")); // as in the light theme
    paper.toBlob((blob) => {
      const url = URL.createObjectURL(blob);
      h("a", { href: url, download: "map.png" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    });
  }

  // --- when to draw ---
  const sizes = new ResizeObserver(([{ contentRect }]) => {
    lens.resize(contentRect.width, contentRect.height); // none while the tab is hidden
    see();
  });
  sizes.observe(box);
  window.addEventListener("resize", see, { signal }); // the browser's own zoom, too
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", see, { signal });
  const themes = new MutationObserver(see);
  whenAttached(el, (root) => themes.observe(root, { attributeFilter: ["data-theme"] }), signal);

  /** Where each item is drawn, in px of the window: for tests of the page. */
  canvas.points = () => {
    const { left, top } = canvas.getBoundingClientRect();
    return drawn.map(({ item, x, y }) => ({ ...item, selected: selection.has(item.id), x: left + x, y: top + y }));
  };
  choose(kept.choosing ?? false);
  model.send({ kind: "hello" });
  return () => {
    sizes.disconnect();
    themes.disconnect();
    cancelAnimationFrame(waiting);
    selection.stop();
    current.stop();
  };
}

// Numbers of several bytes must be aligned. A buffer of a message may begin anywhere, so it is copied.
const copy = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
const floats = (view) => new Float32Array(copy(view));
const integers = (view) => new Uint32Array(copy(view));
const bytes = (view) => new Uint8Array(copy(view));

export default { render: live(render) };
