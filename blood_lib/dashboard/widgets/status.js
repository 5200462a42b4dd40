// One line under the tabs: what is going on, what went wrong, and whether the server still answers.

import { h } from "./lib/dom.js";
import { live } from "./lib/live.js";
import { showProgress } from "./lib/progress.js";

const ASK_EVERY = 5000; // ms between two questions, which also keep the kernel alive; in a hidden tab up to a minute
const LOST_AFTER = 15000; // ms without any answer

function render({ model, el, words }) {
  const { text } = words;
  const bar = h("progress", { class: "dash-progress", max: 1, value: 0, "aria-label": text.working });
  const numbers = h("span", { class: "dash-number" });
  const cancel = h("button", { type: "button", class: "dash-button dash-small", onclick: () => model.send({ kind: "cancel" }) }, text.cancel);
  const work = h("span");
  const working = h("div", { class: "dash-strip dash-working", hidden: true }, work, bar, numbers, cancel);
  const notice = strip("notice", "status");
  const error = strip("error", "alert");
  const lost = h(
    "div",
    { class: "dash-strip dash-error", role: "alert", hidden: true },
    h("span", {}, text.lost),
    h("button", { type: "button", class: "dash-button dash-small", onclick: () => window.location.reload() }, text.reload),
  );
  el.append(lost, error.box, notice.box, working);

  function strip(kind, role) {
    const sentence = h("span");
    const close = h("button", { type: "button", class: "dash-button dash-small", onclick: () => model.send({ kind: "dismiss", what: kind }) }, text.dismiss);
    const box = h("div", { class: `dash-strip dash-${kind}`, role, hidden: true }, sentence, close);
    return { box, sentence };
  }

  function draw() {
    const progress = model.get("progress");
    working.hidden = progress.total === undefined;
    if (!working.hidden) {
      work.textContent = text[`working.${progress.kind}`] ?? text.working;
      showProgress(words, bar, numbers, progress);
    }
    for (const [name, { box, sentence }] of Object.entries({ notice, error })) {
      const now = model.get(name);
      box.hidden = !now;
      if (sentence.textContent !== now) sentence.textContent = now;
    }
  }
  for (const name of ["progress", "notice", "error"]) model.on(`change:${name}`, draw);
  draw();

  // The heartbeat: a kernel that has died is restarted silently and knows nothing of this page.
  let asked = 0;
  let heard = Date.now();
  model.on("msg:custom", (message) => {
    if (message.kind !== "pong") return;
    heard = Date.now();
    asked = 0;
    lost.hidden = true;
  });
  const timer = setInterval(() => {
    const now = Date.now();
    if (document.hidden) asked = 0; // browsers slow down pages in the background: no answer means nothing
    else if (!asked) asked = now;
    if (asked && now - Math.max(asked, heard) > LOST_AFTER) lost.hidden = false;
    try {
      model.send({ kind: "ping" });
    } catch {
      lost.hidden = false;
    }
  }, ASK_EVERY);
  return () => clearInterval(timer);
}

export default { render: live(render) };
