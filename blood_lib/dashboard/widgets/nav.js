// The head of the page and its tabs, which switch at once, without waiting for Python. This browser remembers the
// visitor's language and theme, and tells Python.

import { h } from "./lib/dom.js";
import { live, whenAttached } from "./lib/live.js";

const THEMES = ["auto", "light", "dark"];

/** What this browser remembers of the visitor's choices; page.js reads the same. */
function remembered(name) {
  try {
    return localStorage.getItem(`dash.${name}`);
  } catch {
    return null; // storage is blocked
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`dash.${name}`, value);
  } catch {
    // storage is blocked: the choice holds for this page only
  }
}

function render({ model, el, words, kept, signal }) {
  const { text } = words;
  const tabs = model.get("tabs");
  const id = (kept.id ??= `dash-${Math.random().toString(36).slice(2, 8)}`);
  const ownPage = Boolean(document.body.dataset.voila); // not a cell of somebody's notebook
  const list = h("div", { class: "dash-tabs", role: "tablist", "aria-label": text.label });
  const buttons = new Map();
  for (const tab of tabs) {
    const button = h(
      "button",
      { type: "button", role: "tab", id: `${id}-${tab}`, class: "dash-tab", onclick: () => open(tab, true) },
      text[tab],
    );
    buttons.set(tab, button);
    list.append(button);
  }
  list.addEventListener("keydown", (event) => {
    const there = tabs.filter((name) => !model.get("absent").includes(name));
    const at = there.indexOf(model.get("tab"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: there.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = there[(to + there.length) % there.length];
    open(tab, true);
    buttons.get(tab).focus();
  });

  // --- language and theme ---
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  kept.theme ??= THEMES.includes(remembered("theme")) ? remembered("theme") : THEMES[0];
  const wanted = [remembered("language"), ...navigator.languages].filter(Boolean);
  const languages = choice("language", model.get("languages"), model.get("language"), (value) => {
    kept.focus = true; // this switch is about to be drawn again, in other words
    model.send({ kind: "language", language: value });
  });
  const themes = choice("theme", THEMES.map((theme) => [theme, text[`theme_${theme}`]]), kept.theme, (value) => {
    kept.theme = value;
    dress(true);
  });
  el.append(
    h("header", { class: "dash-head" }, h("h1", {}, model.get("title")), h("p", { class: "dash-note" }, text.note), h("div", { class: "dash-switches" }, languages, themes)),
    list,
  );

  function choice(name, options, chosen, act) {
    const select = h("select", { class: "dash-switch", "aria-label": text[name], title: text[name] }, ...options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
    select.addEventListener("change", () => {
      remember(name, select.value);
      act(select.value);
    });
    return select;
  }

  function dress(tell) {
    for (const node of ownPage ? [root, document.documentElement] : [root]) node.dataset.theme = kept.theme;
    const dark = kept.theme === "dark" || (kept.theme === "auto" && system.matches);
    if (tell) model.send({ kind: "theme", theme: kept.theme, dark });
  }

  // --- tabs ---
  let root = null;
  let shown = null;
  function open(tab, tell) {
    if (!buttons.has(tab)) return;
    kept.touched ||= tell; // once the visitor has chosen a tab, nothing that was sent before may change it
    if (tell && model.get("tab") !== tab) {
      model.set("tab", tab); // this browser's own copy; Python is told by message and checks it
      model.send({ kind: "tab", tab });
    }
    if (!root || shown === tab) return;
    shown = tab;
    root.dataset.tab = tab;
    for (const [name, button] of buttons) {
      const on = name === tab;
      button.setAttribute("aria-selected", on);
      button.tabIndex = on ? 0 : -1;
      if (on) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  whenAttached(
    el,
    (found) => {
      root = found;
      root.lang = model.get("language");
      if (ownPage) {
        document.documentElement.lang = root.lang;
        document.title = model.get("title");
      }
      for (const [name, button] of buttons) {
        const panel = root.querySelector(`.dash-panel-${name}`);
        if (!panel) continue;
        panel.id = `${id}-panel-${name}`;
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", button.id);
        button.setAttribute("aria-controls", panel.id);
      }
      root.addEventListener("dash:tab", (event) => open(event.detail, true), { signal });
      system.addEventListener("change", () => dress(true), { signal });
      dress(!kept.greeted);
      if (kept.greeted || wanted[0]?.split("-")[0] === root.lang) open(model.get("tab"), false);
      if (kept.focus) languages.focus();
      kept.focus = false;
      if (!kept.greeted) model.send({ kind: "hello", languages: wanted });
      kept.greeted = true; // from now on the same page, in other words
    },
    signal,
  );
  function hideAbsent() {
    const absent = model.get("absent");
    for (const [name, button] of buttons) button.hidden = absent.includes(name);
    if (absent.includes(model.get("tab"))) open(tabs[0], true);
  }
  hideAbsent();
  model.on("change:absent", hideAbsent);
  model.on("change:tab", () => open(model.get("tab"), false));
  model.on("msg:custom", (message) => {
    if (message.kind !== "tab") return;
    if (!kept.touched) model.set("tab", message.tab);
    open(model.get("tab"), false); // the page waited for its language
  });
}

export default { render: live(render) };
