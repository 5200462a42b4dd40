// All classified images, grouped by type. Draws only while it is on the screen, and asks for thumbnails only of
// what is in sight, so that thousands of images stay light.

const DRAW_EVERY = 400; // ms, while results come in
const DOUBT = { unfamiliar: 0, uncertain: 1, ok: 2 };
const ASK_AT_ONCE = 48; // thumbnails in one request

function render({ model, el, signal }) {
  const text = model.get("text");
  const items = new Map(); // id -> {id, name, group, status, confidence, card, url}
  let rejected = [];
  let filter = "all";
  let drawn = 0;
  let timer = null;
  let inSight = false;
  let seen = null; // the run these items belong to

  const filters = h("div", { class: "dash-filters", role: "group", "aria-label": text.filter });
  const save = h("button", { type: "button", class: "dash-button dash-small dash-quiet", onclick: () => model.send({ kind: "download" }) }, text.download);
  const bar = h("div", { class: "dash-bar" }, filters, save);
  const order = h("p", { class: "dash-muted dash-order" }, text.order);
  const groups = h("div", { class: "dash-groups" });
  const empty = h("p", { class: "dash-empty" }, text.empty);
  el.classList.add("dash-gallery");
  el.append(empty, bar, order, groups);

  // --- thumbnails, only for what is in sight ---
  const wanted = new Set();
  let asking = null;
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) wanted.delete(target.item.id);
        else if (!target.item.url) wanted.add(target.item.id);
      }
      if (wanted.size && asking === null) asking = setTimeout(ask, 30);
    },
    { rootMargin: "400px" },
  );
  function ask() {
    const ids = [...wanted].slice(0, ASK_AT_ONCE);
    ids.forEach((id) => wanted.delete(id));
    model.send({ kind: "thumbs", ids });
    asking = wanted.size ? setTimeout(ask, 60) : null;
  }

  // --- what Python says ---
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "reset") {
      forget();
      seen = message.run;
    }
    if (message.run !== seen) return;
    if (message.kind === "reset" || message.kind === "add") {
      for (const [id, name, group, status, confidence] of message.items) {
        const known = items.get(id);
        if (known?.card) watcher.unobserve(known.card);
        items.set(id, { id, name, group, status, confidence, url: known?.url });
      }
      rejected = rejected.concat(message.rejected);
      plan();
    }
    if (message.kind === "thumbs") message.ids.forEach((id, i) => showThumb(items.get(id), buffers[i]));
  });
  function forget() {
    for (const item of items.values()) {
      if (item.url) URL.revokeObjectURL(item.url);
      if (item.card) watcher.unobserve(item.card);
    }
    items.clear();
    wanted.clear();
    rejected = [];
    filter = "all";
  }
  function showThumb(item, buffer) {
    if (!item || item.url || !buffer) return;
    item.url = pictureUrl(buffer, "image/jpeg");
    if (item.url && item.card) item.card.querySelector("img").src = item.url;
  }

  // --- drawing ---
  function plan() {
    if (!inSight || timer !== null) return;
    timer = setTimeout(
      () => {
        timer = null;
        if (inSight) draw();
      },
      Math.max(0, drawn + DRAW_EVERY - Date.now()),
    );
  }
  const sight = new IntersectionObserver((entries) => {
    inSight = entries.some((entry) => entry.isIntersecting);
    if (inSight) {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      draw();
    }
  });
  sight.observe(el);

  function makeCard(item, type) {
    const certainty = percent(item.confidence);
    const status = text[item.status] ?? item.status;
    const card = h(
      "button",
      {
        type: "button",
        class: `dash-card dash-card-${item.status}`,
        tabindex: -1,
        title: item.name,
        "aria-label": `${item.name}: ${fill(text.certain, { label: type.label, confidence: certainty, status: status.toLowerCase() })}`,
        onclick: () => model.send({ kind: "select", id: item.id }),
      },
      h("img", { alt: "", src: item.url || null, width: 96, height: 96, decoding: "async" }),
      h("span", { class: "dash-card-line" }, h("span", {}, certainty), SIGNS[item.status] ? h("b", { class: `dash-sign dash-badge-${item.status}`, "aria-hidden": "true" }, SIGNS[item.status]) : null),
    );
    card.item = item;
    item.card = card;
    watcher.observe(card);
    return card;
  }

  function draw() {
    drawn = Date.now();
    const all = [...items.values()];
    const any = all.length + rejected.length > 0;
    empty.hidden = any;
    bar.hidden = order.hidden = groups.hidden = !any;
    if (!any) return groups.replaceChildren();
    drawFilters(all);
    order.hidden = !all.length || filter === "rejected";
    const sections = model.get("types").map((type, index) => drawGroup(all, type, index));
    if (rejected.length && (filter === "all" || filter === "rejected")) sections.push(drawRejected());
    groups.replaceChildren(...sections.filter(Boolean));
    if (!groups.childElementCount) groups.append(h("p", { class: "dash-empty" }, text.none));
    markSelected();
  }

  function drawFilters(all) {
    const counts = { all: all.length + rejected.length, ok: 0, uncertain: 0, unfamiliar: 0, rejected: rejected.length };
    for (const item of all) counts[item.status] += 1;
    const focused = filters.contains(document.activeElement) ? filter : null;
    filters.replaceChildren(
      ...Object.entries(counts).map(([name, n]) =>
        h(
          "button",
          {
            type: "button",
            class: "dash-chip",
            "aria-pressed": filter === name,
            disabled: n === 0 && name !== "all",
            onclick: () => {
              filter = name;
              draw();
            },
          },
          SIGNS[name] ? h("b", { class: `dash-sign dash-badge-${name}`, "aria-hidden": "true" }, SIGNS[name]) : null,
          `${text[name]} `,
          h("span", { class: "dash-number" }, number(n)),
        ),
      ),
    );
    if (focused) filters.querySelector("[aria-pressed=true]")?.focus();
  }

  function drawGroup(all, type, index) {
    const members = all.filter((item) => item.group === index && (filter === "all" || item.status === filter));
    if (!members.length) return null;
    members.sort((a, b) => DOUBT[a.status] - DOUBT[b.status] || a.confidence - b.confidence || a.id - b.id);
    const cards = members.map((item) => item.card ?? makeCard(item, type));
    cards.forEach((card, i) => (card.tabIndex = i === 0 ? 0 : -1));
    const grid = h("div", { class: "dash-grid", role: "group", "aria-label": type.label, onkeydown: (event) => walk(event, cards) }, ...cards);
    return h("section", { class: "dash-group" }, h("h2", {}, mark(type, 16), type.label, h("span", { class: "dash-number" }, number(members.length))), grid);
  }

  /** Arrow keys go through a group; only one of its cards is a tab stop. */
  function walk(event, cards) {
    const at = cards.indexOf(document.activeElement);
    const inRow = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length || 1;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + inRow, ArrowUp: at - inRow, Home: 0, End: cards.length - 1 }[event.key];
    if (at < 0 || to === undefined || !cards[to]) return;
    event.preventDefault();
    cards[at].tabIndex = -1;
    cards[to].tabIndex = 0;
    cards[to].focus();
  }

  function drawRejected() {
    const rows = rejected.map(([name, reason]) => h("tr", {}, h("td", { class: "dash-name" }, name), h("td", {}, sentence(reason))));
    return h(
      "section",
      { class: "dash-group dash-rejected" },
      h("h2", {}, h("b", { class: "dash-sign dash-badge-rejected", "aria-hidden": "true" }, SIGNS.rejected), text.rejected_title, h("span", { class: "dash-number" }, number(rejected.length))),
      h("p", { class: "dash-muted" }, text.rejected_note),
      h("div", { class: "dash-scroll" }, h("table", { class: "dash-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text.file), h("th", { scope: "col" }, text.reason))), h("tbody", {}, ...rows))),
    );
  }

  function sentence(words) {
    return words.charAt(0).toUpperCase() + words.slice(1);
  }

  let marked = null;
  function markSelected() {
    marked?.removeAttribute("aria-current");
    marked = items.get(model.get("selected"))?.card ?? null;
    marked?.setAttribute("aria-current", "true");
  }
  model.on("change:selected", markSelected);

  model.send({ kind: "hello" });
  return () => {
    watcher.disconnect();
    sight.disconnect();
    forget();
  };
}

export default { render: live(render) };
