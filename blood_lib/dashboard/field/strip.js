// The strip of all fields: a small picture of each with its counts and doubts; one of them is open.

import { h } from "../widgets/lib/dom.js";
import { pictureUrl } from "../widgets/lib/pictures.js";

/** `ask(ids)` asks for small pictures, `show(id)` opens a field. */
export function createStrip(words, signs, { ask, show }) {
  const { text, count, fill, number } = words;
  const el = h("div", { class: "dash-film", role: "listbox", "aria-label": text.strip });
  const entries = new Map(); // id -> {node, image, line}
  let opened = null;
  const sight = new IntersectionObserver((seen) => {
    const ids = seen.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => Number(target.dataset.id));
    const missing = ids.filter((id) => !entries.get(id)?.asked);
    for (const id of missing) entries.get(id).asked = true;
    if (missing.length) ask(missing);
  });

  function make(id, name) {
    const image = h("img", { alt: "", draggable: "false" });
    const line = h("span", { class: "dash-film-line" });
    const node = h("div", { class: "dash-film-field", role: "option", "data-id": id, tabindex: -1, title: name, onclick: () => show(id) }, image, h("span", { class: "dash-film-name" }, name), line);
    sight.observe(node);
    return { node, image, line, name };
  }

  /** rows: [[id, name, cells, cells to check, cells cut, scale is known], ...] */
  function draw(rows, current) {
    for (const id of [...entries.keys()]) if (!rows.some(([one]) => one === id)) forget(id);
    for (const [id, name, n, check, cut, scaled] of rows) {
      if (!entries.has(id)) entries.set(id, make(id, name));
      const { node, line } = entries.get(id);
      const doubts = [check && count("check", check), cut && count("cut", cut), !scaled && text.no_scale].filter(Boolean);
      line.replaceChildren(h("b", {}, count("cells", n)), ...marks(check, cut, scaled));
      node.setAttribute("aria-label", [name, count("cells", n), ...doubts].join(". "));
      node.setAttribute("aria-selected", id === current);
      node.tabIndex = id === current ? 0 : -1;
      if (node.parentNode !== el) el.append(node);
    }
    el.hidden = rows.length < 2;
    if (opened !== current) entries.get(current)?.node.scrollIntoView({ block: "nearest", inline: "nearest" });
    opened = current;
  }

  function marks(check, cut, scaled) {
    return [
      check && h("span", { class: "dash-badge dash-badge-uncertain", title: count("check", check) }, h("b", { "aria-hidden": "true" }, signs.uncertain), number(check)),
      cut && h("span", { class: "dash-film-doubt", title: count("cut", cut) }, fill(text.cut_short, { n: cut })),
      !scaled && h("span", { class: "dash-film-doubt" }, text.no_scale),
    ].filter(Boolean);
  }

  function forget(id) {
    const { node, url } = entries.get(id);
    sight.unobserve(node);
    node.remove();
    if (url) URL.revokeObjectURL(url);
    entries.delete(id);
  }

  el.addEventListener("keydown", (event) => {
    const ids = [...entries.keys()];
    const at = ids.indexOf(Number(event.target.dataset.id));
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (to === undefined || at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // or the viewer would go to another cell
    const id = ids[Math.min(Math.max(to, 0), ids.length - 1)];
    show(id);
    entries.get(id).node.focus();
  });

  return {
    el,
    draw,
    take(ids, buffers) {
      ids.forEach((id, i) => {
        const entry = entries.get(id);
        if (!entry || entry.url) return;
        entry.url = pictureUrl(buffers[i], "image/jpeg");
        if (entry.url) entry.image.src = entry.url;
      });
    },
    stop() {
      sight.disconnect();
      for (const id of [...entries.keys()]) forget(id);
    },
  };
}
