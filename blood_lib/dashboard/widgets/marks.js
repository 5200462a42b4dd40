// Which cells are chosen for moving, and which one is looked at. Both are shown at once, so that no key or button is
// about the cells before; Python is told a moment later, but before any key that is about what Python knows.

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

/** The viewer's keys act on what Python knows of `views`, marks or look: it is told before they act. */
function tellBeforeKeys(el, signal, ...views) {
  const tell = () => views.forEach((view) => view.tellNow());
  whenAttached(el, (root) => root.addEventListener("dash:do", tell, { signal, capture: true }), signal);
}

/** `show()` is called after every change; `tell(ids)` when there has been none for a moment. */
function createMarks(show, tell) {
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

    /** Mark it, or unmark it; with the cell that a click has chosen before, if nothing was marked yet. */
    toggle(id, also = null) {
      const next = new Set(ids);
      if (!next.size && also !== null && also !== id) next.add(also);
      if (!next.delete(id)) next.add(id);
      anchor = id;
      change(next);
    },

    /** Mark all from the anchor to this one; `order`: all ids as they are shown. */
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

/** The cell that is looked at, here and in every tab; `show()` is called after every change, `follow(id)` after one from elsewhere. */
function createLook(model, show, follow) {
  let current = model.get("current");
  let asked = null; // the same, until Python has heard of it
  const messenger = createMessenger();

  model.on("change:current", () => {
    if (asked !== null && asked !== model.get("current")) return; // the answer to an earlier wish
    begin();
    show();
    follow(current);
  });

  function begin() {
    asked = null;
    current = model.get("current");
  }

  return {
    begin,
    current: () => current,
    at(id, after = 0) {
      current = id;
      asked = id === model.get("current") ? null : id;
      messenger.later(() => model.send({ kind: "open", id }), after);
      show();
    },
    tellNow: messenger.now,
    stop: messenger.stop,
  };
}
