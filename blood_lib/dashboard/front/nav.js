// The head of the page and its tabs; switches at once, without waiting for Python.

function render({ model, el, signal }) {
  const text = model.get("text");
  const tabs = model.get("tabs");
  const id = `dash-${Math.random().toString(36).slice(2, 8)}`;
  const title = h("h1", {}, model.get("title"));
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
    const at = tabs.indexOf(model.get("tab"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    open(tab, true);
    buttons.get(tab).focus();
  });
  el.append(h("header", { class: "dash-head" }, title, h("p", { class: "dash-note" }, text.note)), list);

  let root = null;
  let shown = null;
  let touched = false; // once the visitor has chosen a tab, nothing that was sent before may change it
  function open(tab, tell) {
    if (!buttons.has(tab)) return;
    touched ||= tell;
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
    requestAnimationFrame(() => window.dispatchEvent(new Event("resize"))); // figures measure themselves anew
  }

  whenAttached(
    el,
    (found) => {
      root = found;
      document.documentElement.lang = model.get("language");
      if (document.body.dataset.voila) document.title = model.get("title");
      for (const [name, button] of buttons) {
        const panel = root.querySelector(`.dash-panel-${name}`);
        if (!panel) continue;
        panel.id = `${id}-panel-${name}`;
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", button.id);
        button.setAttribute("aria-controls", panel.id);
      }
      root.addEventListener("dash:tab", (event) => open(event.detail, true), { signal });
      open(model.get("tab"), false);
      model.send({ kind: "hello" });
    },
    signal,
  );
  model.on("change:tab", () => open(model.get("tab"), false));
  model.on("msg:custom", (message) => {
    if (message.kind === "tab" && !touched) model.set("tab", message.tab);
  });
}

export default { render: live(render) };
