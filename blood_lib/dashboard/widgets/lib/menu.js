// A menu of groups that opens beside a button: one is chosen by a click, or by arrow keys and Enter.

import { h } from "./dom.js";
import { marker } from "./markers.js";

/** Open it beside `anchor`; choices: [{value, key, content: [node, ...]}, ...]; `pick(value)` is called once. */
export function openMenu(anchor, label, choices, pick) {
  const items = choices.map(({ value, key, content }) =>
    h("button", { type: "button", role: "menuitem", class: "dash-menu-item", tabindex: -1, onclick: () => choose(value) }, ...content, key ? h("kbd", { "aria-hidden": "true" }, key) : null),
  );
  const menu = h("div", { class: "dash-menu", role: "menu", popover: "auto", "aria-label": label }, ...items);

  function choose(value) {
    menu.hidePopover();
    pick(value);
  }

  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    if (menu.contains(document.activeElement)) anchor.focus();
    menu.remove();
  });
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    const quick = choices.findIndex(({ key }) => key && key.toLowerCase() === event.key.toLowerCase());
    if (to !== undefined) items[(to + items.length) % items.length].focus();
    else if (quick >= 0) choose(choices[quick].value);
    else return;
    event.preventDefault();
  });
  anchor.after(menu);
  menu.showPopover();
  putBeside(menu, anchor);
  items[0].focus();
}

/** Below the anchor where there is room, above it otherwise, never out of the window. */
function putBeside(menu, anchor) {
  const { left, top, bottom } = anchor.getBoundingClientRect();
  const below = bottom + 4 + menu.offsetHeight <= window.innerHeight;
  menu.style.left = `${Math.max(8, Math.min(left, window.innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${below ? bottom + 4 : Math.max(8, top - 4 - menu.offsetHeight)}px`;
}

/** The key of each group: digits for the first nine classes, then letters without another meaning, at last U and X. */
export function groupKeys(groups) {
  const free = "123456789BDEFGIOPQRSTVWYZ";
  return [...groups.slice(0, -2).map((_, i) => free[i] ?? ""), "U", "X"];
}

/** The choices of `openMenu` for all groups. */
export function groupChoices(groups) {
  const keys = groupKeys(groups);
  return groups.map((group, value) => ({ value, key: keys[value], content: [marker(group, 14), h("span", {}, group.label)] }));
}
