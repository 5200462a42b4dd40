// Helpers that every part of the page uses; put before each script by part.py.
// All text reaches the page as text nodes: nothing here ever parses HTML.

let language = "en"; // of the part that this file was put before; `live` sets it

/**
 * A part's render function that starts anew, in an empty element, whenever Python has changed the part's words:
 * another language, another bundle. So a script may read text and types once; what it listens to by model.on is
 * taken off for it. `kept` is an object for what has to outlive that.
 */
function live(render) {
  return ({ model, el }) => {
    const kept = {};
    let end = () => {};
    function start() {
      end();
      language = model.get("language");
      const stop = new AbortController();
      const handlers = [];
      const on = (name, handler) => {
        handlers.push([name, handler]);
        model.on(name, handler);
      };
      el.replaceChildren();
      const clean = render({ model: { ...model, on }, el, kept, signal: stop.signal });
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

/** A number as the visitor's language writes it, with so many digits after the decimal mark. */
function number(n, digits = 0) {
  return n.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** An element: h("button", {class: "x", onclick: f, "aria-label": "y"}, "text", child, ...). */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** "{n} of {total}" with the values filled in; numbers with separators. */
function fill(text, values = {}) {
  return (text ?? "").replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : String(value);
  });
}

/** The sentence for a count: its singular where there is one. */
function count(texts, key, n) {
  return fill(n === 1 && texts[`${key}.one`] ? texts[`${key}.one`] : texts[key], { n });
}

/** A probability for people: never "100 %" or "0 %" for what is only close to it. */
function percent(p, digits = 0) {
  const step = 10 ** -digits / 100;
  const shown = (share) => `${number(100 * share, digits)} %`;
  if (p >= 1 - step / 2 && p < 1) return `> ${shown(1 - step)}`;
  if (p < step / 2 && p > 0) return `< ${shown(step)}`;
  return shown(p);
}

/** How far a piece of work is, in a progress bar and in numbers; where it is not known, the bar only moves. */
function showProgress(bar, numbers, text, { done, total }) {
  if (total) bar.value = done / total;
  else bar.removeAttribute("value");
  numbers.textContent = total ? fill(text, { done, total }) : "";
}

/** A share for CSS. */
function share(p) {
  return `${(100 * p).toFixed(2)}%`;
}

/** An element of an SVG picture. */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** The mark of a type: its shape in its colour. */
function mark(type, size = 14) {
  const box = { viewBox: "0 0 16 16", width: size, height: size, class: "dash-mark", "aria-hidden": "true" };
  return svg("svg", box, svg("path", { d: type.shape, fill: type.colour }));
}

const SIGNS = { ok: "", uncertain: "?", unfamiliar: "!", rejected: "×", confirmed: "✓", moved: "→" };

/** A badge with a sign and a word, for everything but "ok". */
function badge(status, word) {
  if (!SIGNS[status]) return null;
  return h("span", { class: `dash-badge dash-badge-${status}` }, h("b", { "aria-hidden": "true" }, SIGNS[status]), word);
}

/** Ask for another tab, from anywhere in the app. */
function openTab(from, tab) {
  from.dispatchEvent(new CustomEvent("dash:tab", { bubbles: true, detail: tab }));
}

/** Ask for those cells of the gallery that its filter by review calls so, from anywhere in the app. */
function showInGallery(from, review) {
  openTab(from, "classification");
  from.closest(".dash-app").querySelector(".dash-gallery").dispatchEvent(new CustomEvent("dash:show", { detail: review }));
}

/** Calls back with the app's root element as soon as `el` is in the page. */
function whenAttached(el, callback, signal) {
  const look = () => {
    if (signal?.aborted) return;
    const root = el.closest(".dash-app");
    if (root) callback(root);
    else requestAnimationFrame(look);
  };
  look();
}

/** A blob URL for bytes from Python (a DataView), or "" for none. */
function pictureUrl(view, type) {
  if (!view || !view.byteLength) return "";
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return URL.createObjectURL(new Blob([bytes], { type }));
}
