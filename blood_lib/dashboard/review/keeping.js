// Keeps the review in this browser, where the visitor has switched that on, and offers it again after a reload.
// It lies in IndexedDB: {facts, index, whole}. Nothing of an earlier visit is overwritten before the visitor has
// restored or deleted it.

import { h } from "../widgets/lib/dom.js";
import { live, whenAttached } from "../widgets/lib/live.js";
import { createStore } from "./store.js";

const KEEP_AFTER = 1000; // ms without a change
const ASK_AGAIN_AFTER = 4000; // ms without the piece
const GIVE_UP_AFTER = 60000; // ms without an answer

function render({ model, el, words, kept, signal }) {
  const { text, fill } = words;
  const store = createStore();
  let timer = null;
  let asking = null; // the timer of a piece that is on its way
  let asked = 0; // when Python was last asked for something that has not been written yet
  let taking = null; // {key, pieces, facts, taken: {index: [], whole: []}}

  // --- what is shown ---
  const small = (label, onclick) => h("button", { type: "button", class: "dash-button dash-small", onclick }, label);
  const toggle = h("input", { type: "checkbox" });
  const state = h("p", { class: "dash-kept-state", role: "status" });
  const restore = small(text.restore, () => giveBack());
  const remove = small(text.remove, () => forget());
  const buttons = h("div", { class: "dash-buttons" }, restore, remove);
  el.classList.add("dash-keeping-box");
  el.append(h("section", { class: "dash-surface dash-keeping" }, h("label", { class: "dash-toggle" }, toggle, text.switch), h("p", { class: "dash-muted" }, text.note), state, buttons));

  function draw() {
    const { facts, earlier, problem } = kept;
    toggle.checked = kept.on;
    const values = facts && { n: facts.n, decided: facts.decided, date: facts.date.slice(0, 16).replace("T", " ") };
    state.textContent = problem ? text[problem] : !facts ? (kept.on ? text.nothing : "") : fill(text[earlier ? "earlier" : "kept"], values);
    state.hidden = !state.textContent;
    restore.hidden = !earlier;
    buttons.hidden = !facts;
  }

  // --- switching it on and off ---
  toggle.addEventListener("change", () => {
    kept.on = toggle.checked;
    kept.problem = null;
    remember(kept.on);
    if (kept.on) plan();
    else if (!kept.earlier) forget();
    draw();
  });

  async function forget() {
    for (const one of [timer, asking]) clearTimeout(one);
    taking = null;
    asked = 0;
    await store.clear().catch(() => {});
    Object.assign(kept, { facts: null, earlier: false, whole: false });
    draw();
    if (kept.on) plan();
  }

  // --- keeping ---
  function plan() {
    clearTimeout(timer);
    if (kept.on && !kept.earlier && model.get("now").n) timer = setTimeout(keep, KEEP_AFTER);
  }

  /** One after the other: each may rest on what the one before it has written. */
  function keep() {
    if (asked && Date.now() - asked < GIVE_UP_AFTER) return plan();
    asked = Date.now();
    model.send({ kind: "keep", whole: !kept.whole });
  }

  model.on("change:now", () => {
    if (kept.restoring && model.get("now").n) Object.assign(kept, { restoring: false, earlier: false });
    if (!model.get("now").n && kept.facts && !kept.earlier) forget(); // the visitor has removed all
    plan();
    draw();
  });

  function ask() {
    const part = ["index", "whole"].find((name) => taking.taken[name].length < taking.pieces[name]);
    clearTimeout(asking);
    if (!part) return write();
    asked = Date.now();
    model.send({ kind: "take", key: taking.key, part, number: taking.taken[part].length });
    asking = setTimeout(ask, ASK_AGAIN_AFTER);
  }

  async function write() {
    const { facts, taken, pieces } = taking;
    taking = null;
    try {
      await store.write({ facts, index: new Blob(taken.index), ...(pieces.whole ? { whole: new Blob(taken.whole) } : {}) });
      Object.assign(kept, { facts, whole: true, problem: null });
    } catch {
      stop("full");
    }
    asked = 0;
    draw();
  }

  function stop(problem) {
    Object.assign(kept, { on: false, problem });
    remember(false);
    draw();
  }

  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "refused") stop("large");
    if (message.kind === "offer" && kept.on && !kept.earlier) {
      taking = { ...message, taken: { index: [], whole: [] } };
      if (message.pieces.whole) kept.whole = false; // until it is written
      ask();
    }
    if (message.kind !== "piece" || message.key !== taking?.key || message.number !== taking.taken[message.part].length) return;
    const { buffer, byteOffset, byteLength } = buffers[0];
    taking.taken[message.part].push(new Uint8Array(buffer, byteOffset, byteLength).slice());
    ask();
  });

  // --- giving back ---
  async function giveBack() {
    const { index, whole } = await store.read();
    kept.restoring = true;
    const files = [{ name: "review.json", file: index }, { name: "kept.zip", file: whole }];
    whenAttached(el, (root) => root.querySelector(".dash-uploader").dispatchEvent(new CustomEvent("dash:restore", { detail: files })), signal);
  }

  async function begin() {
    if (kept.begun) return;
    Object.assign(kept, { begun: true, on: remembered(), facts: null, earlier: false, whole: false });
    const found = await store.read().catch(() => null);
    if (found) {
      Object.assign(kept, { facts: found.facts, earlier: true });
      model.send({ kind: "found", date: found.facts.date, n: found.facts.n });
    }
    draw();
  }

  begin();
  draw();
  plan();
  return () => [timer, asking].forEach(clearTimeout);
}

/** Whether this browser shall keep reviews: no, until somebody switches it on. */
function remembered() {
  try {
    return localStorage.getItem("dash.keep") === "yes";
  } catch {
    return false; // storage is blocked
  }
}

function remember(on) {
  try {
    if (on) localStorage.setItem("dash.keep", "yes");
    else localStorage.removeItem("dash.keep");
  } catch {
    // storage is blocked: it holds for this page only
  }
}

export default { render: live(render) };
