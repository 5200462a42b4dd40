// The differential: a table of types with shares and reference ranges, and what can be exported. The table is built
// once. After that only its texts change, so that no input loses the focus while cells are moved or new ones arrive.

import { h } from "../widgets/lib/dom.js";
import { showInGallery } from "../widgets/lib/events.js";
import { live } from "../widgets/lib/live.js";
import { marker } from "../widgets/lib/markers.js";

function render({ model, el, words }) {
  const { text, fill, number } = words;
  const types = model.get("types");
  const ranges = new Map(); // index of a class -> its two inputs
  const asked = new Set(); // indices of the classes whose range Python is checking
  let built = ""; // the rows that the table has
  let updates = []; // one function per row

  const empty = h("p", { class: "dash-empty" }, text.empty);
  const caution = h("p", { class: "dash-caution", role: "status" });
  const target = h("select", { class: "dash-select" }, ...model.get("targets").map((n) => h("option", { value: n }, n ? number(n) : text.target_none)));
  target.addEventListener("change", () => model.send({ kind: "target", n: Number(target.value) }));
  const bar = h("progress", { class: "dash-progress", value: 0, max: 1, "aria-hidden": "true" }); // the sentence beside it says the same
  const counted = h("span", { role: "status" });
  const goal = h("div", { class: "dash-target" }, h("label", {}, text.target, " ", target), bar, counted);
  const unjudged = h("p", { class: "dash-strip dash-error dash-unjudged", role: "status" });
  const title = h("h2");
  const decided = h("p", { class: "dash-muted" });
  const table = h("table", { class: "dash-differential" });
  const problem = h("p", { class: "dash-problem", role: "alert" });
  const reset = h("button", { type: "button", class: "dash-button dash-small", onclick: resetRanges }, text.reset);
  const notes = h("p", { class: "dash-notes" });
  const doubt = h("span");
  const look = h("button", { type: "button", class: "dash-button dash-small", onclick: () => showInGallery(el, "doubtful") }, text.look);
  const doubtful = h("div", { class: "dash-strip dash-doubt" }, doubt, look);
  const body = h(
    "div",
    { class: "dash-numbers" },
    caution,
    h("section", { class: "dash-surface" }, title, goal, decided, unjudged, doubtful, table, problem, reset, notes),
    exportSection(),
  );
  el.append(empty, body);

  function exportSection() {
    const name = h("input", { type: "text", class: "dash-input", maxlength: 200, autocomplete: "name", value: model.get("reviewer") });
    name.addEventListener("change", () => model.send({ kind: "reviewer", name: name.value }));
    model.on("change:reviewer", () => {
      if (document.activeElement !== name) name.value = model.get("reviewer");
    });
    const button = (kind, style) => h("button", { type: "button", class: `dash-button ${style}`, onclick: () => model.send({ kind }) }, text[kind]);
    return h(
      "section",
      { class: "dash-surface dash-export" },
      h("h2", {}, text.export),
      h("label", { class: "dash-field" }, text.reviewer, name),
      h("div", { class: "dash-buttons" }, button("report", "dash-primary"), button("table", "")),
      h("p", { class: "dash-notes" }, text.export_note),
    );
  }

  // --- the table ---

  function draw() {
    const shown = model.get("table");
    const some = shown.groups !== undefined;
    empty.hidden = some;
    body.hidden = !some;
    if (!some) return;
    const rows = JSON.stringify([shown.ranged, shown.groups.map((group) => group.rows.map((row) => row.label))]);
    if (built !== rows) build(shown);
    built = rows;
    for (const update of updates) update(shown);
    warn(shown.caution);
    for (const [node, key] of [[title, "title"], [decided, "decided"], [unjudged, "unjudged"], [doubt, "doubtful"], [notes, "notes"]]) write(node, shown[key]);
    showTarget(shown);
    doubtful.hidden = !shown.doubtful;
    reset.hidden = !shown.ranged;
    reset.disabled = !shown.edited;
  }

  function showTarget({ ranged, target: { n, of, sentence } }) {
    goal.hidden = !ranged;
    bar.hidden = counted.hidden = !of;
    bar.value = of ? Math.min(1, n / of) : 0;
    if (document.activeElement !== target) target.value = of;
    write(counted, sentence);
  }

  /** While the table is on the screen, a warning that goes leaves its space empty: nothing jumps as cells arrive. */
  function warn(sentence) {
    const stays = !sentence && el.offsetParent && !caution.hidden;
    write(caution, sentence);
    caution.hidden = !sentence && !stays;
    caution.style.visibility = sentence ? "visible" : "hidden";
  }

  /** Only what has changed, so that a screen reader is told only that. */
  function write(node, sentence) {
    if (node.textContent !== sentence) node.textContent = sentence;
    node.hidden = !sentence;
  }

  function build(shown) {
    const heads = ["type", "number", "share", "range", ...(shown.ranged ? ["reference", "verdict"] : [])];
    updates = [];
    ranges.clear();
    asked.clear();
    table.replaceChildren(
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, text[head])))),
      ...shown.groups.map((group, g) => buildGroup(group, g, heads)),
    );
  }

  function buildGroup(group, g, heads) {
    const title = h("th", { scope: "rowgroup", colspan: heads.length });
    updates.push((shown) => write(title, shown.groups[g].title));
    return h("tbody", { class: `dash-${group.kind}` }, h("tr", {}, title), ...group.rows.map((row, r) => buildRow(row, [g, r], group.kind, heads)));
  }

  function buildRow(row, [g, r], kind, heads) {
    const type = row.index === null ? null : types[row.index];
    const name = h("th", { scope: "row" }, type && marker(type), row.label);
    const [n, share, interval] = ["number", "share", "range"].map((head) => h("td", { class: `dash-cell-${head}`, "data-head": text[head] }));
    const line = h("tr", {}, name, n, share, interval);
    const sign = h("b", { "aria-hidden": "true" });
    const verdict = h("span");
    if (heads.length > 4) {
      const range = h("td", { class: "dash-cell-reference", "data-head": text.reference });
      if (kind === "shares") buildRange(row, range);
      line.append(range, h("td", { class: "dash-cell-verdict" }, sign, verdict));
    }
    updates.push((shown) => {
      const now = shown.groups[g].rows[r];
      for (const [node, key] of [[n, "n"], [share, "share"], [interval, "interval"], [sign, "sign"], [verdict, "verdict"]]) node.textContent = now[key];
      line.dataset.flag = now.flag;
      if (ranges.has(row.index) && !asked.has(row.index)) showRange(ranges.get(row.index), now);
    });
    return line;
  }

  /** Two inputs that are sent together, when a person leaves them or presses Enter. */
  function buildRange(row, cell) {
    const inputs = ["low", "high"].map((end) =>
      h("input", { type: "text", class: "dash-input dash-limit", inputmode: "decimal", maxlength: 8, "aria-label": fill(text[`limit_${end}`], { type: row.label }) }),
    );
    let changed = false;
    const send = () => {
      if (!changed) return;
      changed = false;
      asked.add(row.index);
      model.send({ kind: "range", index: row.index, low: inputs[0].value, high: inputs[1].value });
    };
    cell.addEventListener("input", () => (changed = true));
    cell.addEventListener("focusout", (event) => cell.contains(event.relatedTarget) || send());
    cell.addEventListener("keydown", (event) => event.key === "Enter" && send());
    ranges.set(row.index, inputs);
    cell.append(inputs[0], " – ", inputs[1], " %");
  }

  /** What a person is typing, or has to correct, stays as it is. */
  function showRange(inputs, { low, high }) {
    if (inputs.some((input) => input === document.activeElement || input.hasAttribute("aria-invalid"))) return;
    inputs[0].value = low;
    inputs[1].value = high;
  }

  function judgeRange({ index, fits }) {
    asked.delete(index);
    for (const input of ranges.get(index) ?? []) {
      if (fits) input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    }
    const bad = [...ranges].filter(([, inputs]) => inputs[0].hasAttribute("aria-invalid")).map(([at]) => types[at].label);
    write(problem, bad.length ? fill(text.bad_range, { types: bad.join(", ") }) : "");
    draw();
  }

  function resetRanges() {
    for (const index of ranges.keys()) judgeRange({ index, fits: true });
    model.send({ kind: "reset" });
  }

  model.on("change:table", draw);
  model.on("msg:custom", (message) => {
    if (message.kind === "range") judgeRange(message);
  });
  write(problem, "");
  draw();
}

export default { render: live(render) };
