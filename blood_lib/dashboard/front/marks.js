// Which cells are chosen for moving. What they are is shown at once; Python is told a moment later.

const TELL_AFTER = 80; // ms

/** `show()` is called after every change; `tell(ids)` when there has been none for a moment. */
function createMarks(show, tell) {
  let ids = new Set();
  let anchor = null; // where a range begins
  let timer = null;

  function change(next) {
    ids = new Set(next);
    show();
    clearTimeout(timer);
    timer = setTimeout(() => tell([...ids]), TELL_AFTER);
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
      clearTimeout(timer);
      ids = new Set(next);
      show();
    },

    stop: () => clearTimeout(timer),
  };
}
