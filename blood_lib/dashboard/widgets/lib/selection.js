// Which cells are selected, and which one is the current one. Both are shown at once, so that keys and buttons
// never act on the cells before. Python is told a moment later, but always before a key that acts on what Python knows.

import { whenAttached } from "./live.js";

const TELL_AFTER = 80; // ms

/** Tells the latest message: after a moment, or now. Earlier ones that still wait are dropped. */
function createMessenger() {
  let timer = null;
  let waiting = null;

  function stop() {
    clearTimeout(timer);
    waiting = null;
  }
  function now() {
    const tell = waiting;
    stop();
    tell?.();
  }
  return {
    now,
    stop,
    later(tell, after) {
      stop();
      waiting = tell;
      timer = setTimeout(now, after);
    },
  };
}

/** Tell Python before a key of the viewer acts: it acts on the selection and the current cell that Python knows. */
export function tellBeforeKeys(el, signal, selection, current) {
  const tell = () => [selection, current].forEach((one) => one.tellNow());
  whenAttached(el, (root) => root.addEventListener("dash:do", tell, { signal, capture: true }), signal);
}

/** `show()` is called after every change; `tell(ids)` when there has been none for a moment. */
export function createSelection(show, tell) {
  let ids = new Set();
  let anchor = null; // where a range begins
  const messenger = createMessenger();

  function change(next) {
    ids = new Set(next);
    show();
    messenger.later(() => tell([...ids]), TELL_AFTER);
  }

  return {
    has: (id) => ids.has(id),
    size: () => ids.size,
    all: () => [...ids],
    set: change,
    clear: () => ids.size && change([]),

    /** Ranges begin here from now on. */
    begin(id) {
      anchor = id;
    },

    /** Select or deselect it. If nothing is selected yet, `also`, the cell that was clicked before, is selected too. */
    toggle(id, also = null) {
      const next = new Set(ids);
      if (!next.size && also !== null && also !== id) next.add(also);
      if (!next.delete(id)) next.add(id);
      anchor = id;
      change(next);
    },

    /** Select all from the anchor to this one; `order`: all ids as they are shown. */
    extend(id, order) {
      if (!order.includes(anchor)) anchor = id;
      const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((a, b) => a - b);
      change(order.slice(from, to + 1));
    },

    /** Take over what Python says, without telling it back. */
    take(next) {
      messenger.stop();
      ids = new Set(next);
      show();
    },

    tellNow: messenger.now,
    stop: messenger.stop,
  };
}

/** The current cell, here and in every tab; `show()` follows every change, `follow(id)` each that comes from Python. */
export function createCurrent(model, show, follow) {
  let shown = model.get("current");
  let asked = null; // the same, until Python has answered
  const messenger = createMessenger();

  model.on("change:current", () => {
    if (asked !== null && asked !== model.get("current")) return; // the answer to an earlier request
    begin();
    show();
    follow(shown);
  });

  function begin() {
    asked = null;
    shown = model.get("current");
  }

  return {
    begin,
    id: () => shown,
    at(id, after = 0) {
      shown = id;
      asked = id === model.get("current") ? null : id;
      messenger.later(() => model.send({ kind: "open", id }), after);
      show();
    },
    tellNow: messenger.now,
    stop: messenger.stop,
  };
}
