// Which cells are selected, and which one is the current one. Both are shown at once, so that no key or button is
// about the cells before. Python is told a moment later, but before any key that is about what Python knows.

import { whenAttached } from "./live.js";

const TELL_AFTER = 80; // ms

/** Tells a moment later, or now if somebody cannot wait; what was to be told before is forgotten. */
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

/** The viewer's keys act on what Python knows of the selection and the current cell: it is told before they act. */
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

    /** From now on a range begins here. */
    begin(id) {
      anchor = id;
    },

    /** Select it, or leave it out again; with the cell that was clicked before, if nothing was selected yet. */
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

    /** What Python says, or what Python is told of by other means. */
    take(next) {
      messenger.stop();
      ids = new Set(next);
      show();
    },

    tellNow: messenger.now,
    stop: messenger.stop,
  };
}

/** The current cell, here and in every tab; `show()` is called after every change, `follow(id)` after one from elsewhere. */
export function createCurrent(model, show, follow) {
  let shown = model.get("current");
  let asked = null; // the same, until Python has heard of it
  const messenger = createMessenger();

  model.on("change:current", () => {
    if (asked !== null && asked !== model.get("current")) return; // the answer to an earlier wish
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
