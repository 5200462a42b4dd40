// The open field: its picture, the boxes over it, zoom and scale bar. What is drawn keeps its width at every zoom.

import { h, svg } from "../widgets/lib/dom.js";
import { createScaleBar } from "../widgets/lib/scale_bar.js";
import { zoomable } from "../viewer/zoom.js";
import { pathOf } from "./boxes.js";

const BADGE = 18; // px of the screen
const GRIP = 10;

/**
 * `describe(cell)` says in words what a cell is; `busy()` is true while boxes are edited; `onScale(scale)` hears of
 * every zoom, `onAppear()` is called whenever its tab is opened.
 */
export function createStage(words, groups, classes, { describe, busy, onScale, onAppear }) {
  const image = h("img", { class: "dash-image", draggable: "false", decoding: "sync" });
  const layers = classes.map(({ colour, named }, i) => svg("g", { class: `dash-found dash-found-${named ? "named" : "other"}`, "data-class": i, stroke: colour }, svg("path"), svg("path", { class: "dash-cut" })));
  const cells = svg("g");
  const draft = svg("g", { class: "dash-draft" });
  const boxes = svg("svg", { class: "dash-boxes", preserveAspectRatio: "none", role: "group" }, ...layers, cells, draft);
  const inner = h("div", { class: "dash-picture-inner" }, image, boxes);
  const bar = createScaleBar(words);
  const el = h("div", { class: "dash-picture dash-stage", tabindex: -1 }, inner, bar.el);
  let field = null; // as Python describes it
  let scale = 1;
  let shownDraft = [null, null]; // grips keep their size, too
  let badges = []; // [{node, x, y}, ...], drawn anew at every zoom
  const zoomer = zoomable(el, inner, takeScale, busy);
  let wide = 0; // px of the screen; 0: its tab is hidden
  const sizes = new ResizeObserver(() => {
    const appears = !wide && el.clientWidth;
    wide = el.clientWidth;
    place();
    if (appears) onAppear();
  });
  sizes.observe(el);

  function takeScale(now) {
    scale = now;
    boxes.style.setProperty("--zoom", now);
    place();
    onScale(now);
  }

  /** Pixels of the file in one of the screen. */
  function unit() {
    return field && el.clientWidth ? field.size[0] / (el.clientWidth * scale) : 1;
  }

  function place() {
    if (!field) return;
    const one = unit();
    for (const { node, x, y } of badges) node.setAttribute("transform", `translate(${x} ${Math.max(y - BADGE * one, 0)}) scale(${one})`);
    showDraft(...shownDraft);
    bar.show(field.um_per_pixel ? field.um_per_pixel * one : null);
  }

  function show(next, current, off, editing) {
    const other = next.id !== field?.id;
    field = next;
    const [width, height] = field.size;
    el.style.aspectRatio = `${width} / ${height}`;
    el.style.setProperty("--ratio", width / height);
    image.alt = field.name;
    boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    boxes.setAttribute("aria-label", field.name);
    layers.forEach((layer, i) => {
      const { whole = [], cut = [] } = field.boxes[i] ?? {};
      layer.children[0].setAttribute("d", pathOf(whole));
      layer.children[1].setAttribute("d", pathOf(cut));
      layer.style.display = off.has(i) ? "none" : "";
    });
    badges = [];
    drawCells(current, editing);
    if (other) zoomer.whole();
    place();
  }

  function drawCells(current, editing) {
    const focused = cells.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const reached = field.cells.some(({ id }) => id === current) ? current : field.cells[0]?.id;
    const nodes = field.cells.map((cell) => drawCell(cell, cell.id === current, editing || cell.id === reached));
    cells.replaceChildren(...nodes.sort((a, b) => a.classList.contains("dash-here") - b.classList.contains("dash-here")));
    if (focused !== null) find(Number(focused))?.focus({ preventScroll: true });
  }

  function drawCell(cell, here, reachable) {
    const { id, box, group, sign } = cell;
    const [x, y, width, height] = box;
    const at = { x, y, width, height };
    const badge = svg("g", { class: "dash-box-badge" }, ...badgeOf(groups[group], sign));
    badges.push({ node: badge, x, y });
    return svg(
      "g",
      { class: `dash-box${here ? " dash-here" : ""} dash-box-${cell.status}`, "data-id": id, role: "button", tabindex: reachable ? 0 : -1, "aria-label": describe(cell), "aria-pressed": here },
      svg("rect", { ...at, class: "dash-box-case" }),
      svg("rect", { ...at, class: "dash-box-line", stroke: groups[group].colour }),
      badge,
    );
  }

  /** The type's mark, and the sign of what is to be known of the cell, at a corner of its box. */
  function badgeOf(group, sign) {
    const width = sign ? 2 * BADGE : BADGE;
    const text = svg("text", { x: 1.5 * BADGE - 2, y: 13.5, "text-anchor": "middle" }, sign || "");
    return [svg("rect", { width, height: BADGE, rx: 4 }), svg("path", { d: group.shape, fill: group.colour, transform: "translate(3 3) scale(.75)" }), ...(sign ? [text] : [])];
  }

  /** The box that is being drawn or moved, or null, and the one that has grips at its corners, or null. */
  function showDraft(drawn, held) {
    const at = drawn && { x: drawn[0], y: drawn[1], width: drawn[2], height: drawn[3] };
    const lines = drawn ? ["dash-box-case", "dash-draft-line"].map((name) => svg("rect", { ...at, class: name })) : [];
    draft.replaceChildren(...lines, ...(held ? gripsOf(held) : []));
    shownDraft = [drawn, held];
  }

  function gripsOf([x, y, width, height]) {
    const side = GRIP * unit();
    return [[0, 0], [1, 0], [0, 1], [1, 1]].map(([i, j]) => svg("rect", { class: "dash-grip", x: x + i * width - side / 2, y: y + j * height - side / 2, width: side, height: side }));
  }

  /** Where an event is, in the pixels of the file. */
  function pointOf(event) {
    const { left, top, width, height } = inner.getBoundingClientRect();
    return [((event.clientX - left) / width) * field.size[0], ((event.clientY - top) / height) * field.size[1]];
  }

  /** The middle of what is in sight, in the pixels of the file. */
  function middle() {
    const { left, top, width, height } = el.getBoundingClientRect();
    return pointOf({ clientX: left + width / 2, clientY: top + height / 2 });
  }

  const find = (id) => cells.querySelector(`[data-id="${id}"]`);

  /** Show this cell where the page, the viewer or zooming have put it out of sight. */
  function bring(id) {
    const node = find(id);
    if (!node || !el.clientWidth) return;
    el.scrollIntoView({ block: "nearest" });
    const [box, whole] = [node.getBoundingClientRect(), el.getBoundingClientRect()];
    const inSight = box.left >= whole.left && box.top >= whole.top && box.right <= whole.right && box.bottom <= whole.bottom;
    if (!inSight) zoomer.whole();
  }

  return { el, image, cells, zoomer, show, showDraft, pointOf, middle, unit, find, bring, stop: () => sizes.disconnect() };
}
