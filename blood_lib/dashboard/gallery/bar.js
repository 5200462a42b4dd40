// What stands around the gallery's cards: filters above, what can be done with the selected cells below, and the table
// of rejected files.

import { h } from "../widgets/lib/dom.js";
import { marker } from "../widgets/lib/markers.js";
import { groupChoices, openMenu } from "../widgets/lib/menu.js";

/** change({status, group or review}) is called for another filter, setInRows(on) for another layout. */
export function createFilters({ text, signs, number }, groups, statuses, change, setInRows) {
  const chips = new Map();
  for (const name of ["all", ...statuses, "rejected"]) {
    const n = h("span", { class: "dash-number" });
    const sign = signs[name] ? h("b", { class: `dash-sign dash-badge-${name}`, "aria-hidden": "true" }, signs[name]) : null;
    chips.set(name, { n, chip: h("button", { type: "button", class: "dash-chip", onclick: () => change({ status: name }) }, sign, `${text[name]} `, n) });
  }
  const group = choice(text.type, [["all", text.all_types], ...groups.map(({ label }, i) => [String(i), label])], "group");
  const review = choice(
    text.review,
    ["all", "open", "doubtful", "proposed", "reviewed", "moved", "bulk"].map((name) => [name, text[`review_${name}`]]),
    "review",
  );

  function choice(label, options, name) {
    const select = h("select", { class: "dash-select", "aria-label": label }, ...options.map(([value, name]) => h("option", { value }, name)));
    select.addEventListener("change", () => change({ [name]: select.value }));
    return select;
  }

  const rows = h("button", { type: "button", class: "dash-button dash-small dash-in-rows", "aria-label": text.list, title: text.list, onclick: () => setInRows(rows.getAttribute("aria-pressed") !== "true") }, "☰");
  const row = h("div", { class: "dash-filters", role: "group", "aria-label": text.filter }, ...[...chips.values()].map(({ chip }) => chip), group, review, rows);
  return {
    el: row,
    showRows: (on) => rows.setAttribute("aria-pressed", on),
    show(filters, items, nRejected) {
      const counts = { ...Object.fromEntries(statuses.map((name) => [name, 0])), all: items.length + nRejected, rejected: nRejected };
      for (const item of items) counts[item.status] += 1;
      for (const [name, { chip, n }] of chips) {
        n.textContent = number(counts[name]);
        chip.disabled = counts[name] === 0 && name !== "all";
        chip.setAttribute("aria-pressed", filters.status === name);
      }
      [group.value, review.value] = [filters.group, filters.review];
    },
  };
}

/** acts: act(message) for the selected cells, all(), none(), select(on). */
export function createBar(model, { text, count }, groups, acts) {
  const button = (label, onclick, more = {}, ...content) => h("button", { type: "button", class: "dash-button dash-small", onclick, ...more }, ...(content.length ? content : [label]));
  const sign = (label, icon, onclick) => button(label, onclick, { "aria-label": label, title: label }, icon);
  const choosing = button(text.select, () => acts.select(choosing.getAttribute("aria-pressed") !== "true"), { "aria-pressed": "false" });
  const all = button(text.select_all, acts.all);
  const none = button(text.select_none, acts.none);
  const move = button(text.move, openGroups, { "aria-haspopup": "menu" });
  const confirm = button(text.confirm, () => acts.act({ kind: "confirm" }));
  const undo = sign(text.undo, "↶", () => model.send({ kind: "undo" }));
  const redo = sign(text.redo, "↷", () => model.send({ kind: "redo" }));
  const selected = h("span", { class: "dash-selected", role: "status" });
  const tray = h("div", { class: "dash-tray", hidden: true }, ...groups.map((group, i) => h("span", { class: "dash-tray-target", "data-group": i }, marker(group, 14), group.label)));
  const row = h("div", { class: "dash-actions", role: "group", "aria-label": text.actions }, choosing, all, none, selected, h("span", { class: "dash-actions-do" }, move, confirm, undo, redo));

  function openGroups() {
    openMenu(move, text.move, groupChoices(groups), (group) => acts.act({ kind: "move", group }));
  }

  return {
    el: h("div", { class: "dash-actions-box" }, tray, row),
    show(n, some) {
      selected.textContent = n ? count("selected", n) : "";
      none.hidden = !n;
      move.disabled = confirm.disabled = !some;
      undo.disabled = !model.get("can_undo");
      redo.disabled = !model.get("can_redo");
    },
    select: (on) => choosing.setAttribute("aria-pressed", on),
    tray: (on) => (tray.hidden = !on),
  };
}

/** rejected: [[name of a file, why it was rejected], ...] */
export function createRejectedTable({ text, signs, number }, rejected) {
  const rows = rejected.map(([name, reason]) => h("tr", {}, h("td", { class: "dash-name" }, name), h("td", {}, reason)));
  const head = h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text.file), h("th", { scope: "col" }, text.reason)));
  return h(
    "section",
    { class: "dash-group dash-rejected" },
    h("h2", {}, h("b", { class: "dash-sign dash-badge-rejected", "aria-hidden": "true" }, signs.rejected), text.rejected_title, h("span", { class: "dash-number" }, number(rejected.length))),
    h("p", { class: "dash-muted" }, text.rejected_note),
    h("div", { class: "dash-scroll", tabindex: 0, role: "group", "aria-label": text.rejected_title }, h("table", { class: "dash-table" }, head, h("tbody", {}, ...rows))),
  );
}
