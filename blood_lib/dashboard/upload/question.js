// Asks what becomes of the cells on the page when more images come: they are joined, or replaced.

import { h } from "../widgets/lib/dom.js";

export function createQuestion({ text, count, fill }) {
  let act = null;
  const button = (label, style, onclick) => h("button", { type: "button", class: `dash-button ${style}`, onclick }, label);
  const answer = (add) => () => {
    box.close();
    act(add);
  };
  const [there, lost, running] = [h("p"), h("p"), h("p")];
  const add = button(text.add, "dash-primary", answer(true));
  const buttons = h("div", { class: "dash-buttons" }, add, button(text.replace, "", answer(false)), button(text.keep_them, "dash-quiet", () => box.close()));
  const box = h("dialog", { class: "dash-ask", "aria-label": text.ask_title }, there, lost, running, buttons);

  function show(node, sentence) {
    node.textContent = sentence;
    node.hidden = !sentence;
  }

  return {
    el: box,
    /** n: cells and files on the page; unsaved: how many of them no file has; isRunning: then nothing can be added. */
    ask(n, unsaved, isRunning, then) {
      act = then;
      show(there, n ? count("ask", n) : "");
      show(lost, unsaved ? fill(text.ask_lost, { n: unsaved }) : "");
      show(running, isRunning ? text.ask_running : "");
      add.disabled = isRunning;
      box.showModal();
    },
  };
}
