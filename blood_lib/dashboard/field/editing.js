// How boxes are drawn, moved and resized: with a mouse, a finger or the keyboard. The box in hand is the draft; nothing
// changes before it is kept.

import { around, between, cellAt, cornerAt, shift, stretch, usualSide } from "./boxes.js";

const CLICK = 5; // px of the screen: what moves less is a click
const SLACK = { mouse: 8, pen: 10, touch: 20 }; // px of the screen around a corner
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 4; // px of the screen, of a key

/**
 * field() -> the open field; current() -> the id of the current cell; editing() -> whether boxes are edited;
 * open(id), keep({id, box}), remove(id), changed(draft or null).
 */
export function createEditing(stage, signal, { field, current, editing, open, keep, remove, changed }) {
  let draft = null; // {id: of a cell, or null: a new one, box}
  let hold = null; // what a pointer does: {pointer, from, box, id, corner, moved}
  const fingers = new Set();
  const cellOf = (id) => field().cells.find((cell) => cell.id === id) ?? null;

  function setDraft(next) {
    draft = next;
    const here = editing() ? cellOf(current()) : null;
    stage.showDraft(draft?.box ?? null, draft?.box ?? here?.box ?? null);
    changed(draft);
  }

  /** Keep the draft, and show it until Python has said what is in it; or give it up. */
  function finish(yes) {
    const done = draft;
    setDraft(null);
    if (!yes || !done) return;
    stage.showDraft(done.box, null);
    keep(done);
  }

  // --- pointers ---
  stage.el.addEventListener("pointerdown", (event) => {
    fingers.add(event.pointerId);
    if (event.button || !field()) return;
    if (fingers.size > 1) {
      hold = null; // two fingers zoom
      if (draft && draft.id === null && !draft.placed) setDraft(null);
      return;
    }
    const from = stage.pointOf(event);
    hold = { pointer: event.pointerId, from, at: [event.clientX, event.clientY], moved: false, ...(editing() ? grip(from, event) : {}) };
    if (editing()) stage.el.setPointerCapture(event.pointerId);
  }, { signal });

  /** What lies under the pointer: a corner or the inside of the draft or of the current box, another box, or nothing. */
  function grip(from, event) {
    const slack = (SLACK[event.pointerType] ?? SLACK.mouse) * stage.unit();
    const held = draft ?? cellOf(current());
    const corner = held && cornerAt(held.box, from, slack);
    if (corner) return { id: held.id, box: held.box, corner };
    if (draft && cellAt([draft], from)) return { id: draft.id, box: draft.box };
    const cell = cellAt(field().cells, from);
    return cell ? { id: cell.id, box: cell.box } : { id: null, box: null };
  }

  stage.el.addEventListener("pointermove", (event) => {
    if (event.pointerId !== hold?.pointer || fingers.size > 1) return;
    const away = Math.hypot(event.clientX - hold.at[0], event.clientY - hold.at[1]);
    if (!hold.moved && away < CLICK) return;
    hold.moved = true;
    if (editing()) setDraft(drag(stage.pointOf(event)));
  }, { signal });

  function drag(to) {
    const { size } = field();
    const [dx, dy] = [to[0] - hold.from[0], to[1] - hold.from[1]];
    if (!hold.box) return { id: null, box: between(hold.from, to, size) };
    const box = hold.corner ? stretch(hold.box, hold.corner, dx, dy, size) : shift(hold.box, dx, dy, size);
    return { id: hold.id, box, placed: draft?.placed };
  }

  stage.el.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (event.pointerId !== hold?.pointer) return;
    const { moved } = hold;
    hold = null;
    if (!moved) click(event);
    else if (draft && !draft.placed) finish(draft.box[2] > CLICK * stage.unit() && draft.box[3] > CLICK * stage.unit());
  }, { signal });
  stage.el.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (event.pointerId !== hold?.pointer) return;
    hold = null;
    if (editing()) setDraft(null);
  }, { signal });

  function click(event) {
    const slack = event.pointerType === "touch" ? 8 * stage.unit() : 0;
    const cell = cellAt(field().cells, stage.pointOf(event), slack);
    if (cell) open(cell.id);
  }

  // --- keys ---
  /** True if the key did something to a box. */
  function onKey({ key, shiftKey }) {
    if (!editing() || !field()) return false;
    const held = draft ?? cellOf(current());
    if (ARROWS[key] && held) push(held, ARROWS[key], shiftKey);
    else if (key === "Enter" && draft) finish(true);
    else if (key === "Escape" && draft) finish(false);
    else if ((key === "Delete" || key === "Backspace") && !draft && held) remove(held.id);
    else return false;
    return true;
  }

  function push(held, [dx, dy], resize) {
    const step = STEP * stage.unit();
    const { size } = field();
    const box = resize ? stretch(held.box, [1, 1], dx * step, dy * step, size) : shift(held.box, dx * step, dy * step, size);
    setDraft({ id: held.id, box, placed: true });
  }

  return {
    onKey,
    finish,
    draft: () => draft,
    /** A new box in the middle, to be moved with keys or a finger and then kept. */
    add: () => setDraft({ id: null, box: around(stage.middle(), usualSide(field().cells, field().size), field().size), placed: true }),
    /** The field or the current cell is another one. */
    refresh: () => setDraft(draft && (draft.id === null || cellOf(draft.id)) ? draft : null),
    drop: () => setDraft(null),
  };
}
