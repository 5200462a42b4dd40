// The life of a widget in the page: it starts again when its words change, and knows when it is attached.

import { createWords } from "./words.js";

/**
 * What anywidget calls to render a widget. `render` is called again, with an empty element, whenever Python has
 * changed the widget's words: another language, another bundle. So it may read words and types once. What it
 * listens to by model.on is taken off for it. `kept` is an object that stays the same.
 */
export function live(render) {
  return ({ model, el }) => {
    const kept = {};
    let end = () => {};
    function start() {
      end();
      const words = { ...createWords(model.get("text"), model.get("language")), signs: model.get("signs") };
      const stop = new AbortController();
      const handlers = [];
      const on = (name, handler) => {
        handlers.push([name, handler]);
        model.on(name, handler);
      };
      el.replaceChildren();
      const clean = render({ model: { ...model, on }, el, words, kept, signal: stop.signal });
      end = () => {
        stop.abort();
        for (const [name, handler] of handlers) model.off(name, handler);
        clean?.();
      };
    }
    start();
    model.on("change:edition", start);
    return () => end();
  };
}

/** Calls back with the app's root element as soon as `el` is in the page. */
export function whenAttached(el, callback, signal) {
  const look = () => {
    if (signal?.aborted) return;
    const root = el.closest(".dash-app");
    if (root) callback(root);
    else requestAnimationFrame(look);
  };
  look();
}
