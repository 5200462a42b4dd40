// Takes files by drop or picker, and shows what becomes of them. Sending them is for sending.js.

import { h, svg } from "../widgets/lib/dom.js";
import { openTab } from "../widgets/lib/events.js";
import { live, whenAttached } from "../widgets/lib/live.js";
import { showProgress } from "../widgets/lib/progress.js";
import { opensWhole, readDropped } from "./dropped.js";
import { createPhotographs } from "./photographs.js";
import { createQuestion } from "./question.js";
import { createSender } from "./sending.js";

function render({ model, el, words, kept, signal }) {
  const { text, signs, number, fill, count } = words;
  const limits = model.get("limits");
  const sender = createSender(model, limits, kept, { changed: draw, broken });

  // --- what is shown ---
  const input = h("input", { type: "file", multiple: true, class: "dash-file", tabindex: -1, "aria-hidden": "true", accept: "image/*,.zip,.tif,.tiff,.bmp" });
  const choose = h("button", { type: "button", class: "dash-button dash-primary", onclick: () => pickFiles() }, text.choose);
  const zone = h(
    "div",
    { class: "dash-drop" },
    icon(),
    h("p", { class: "dash-drop-title" }, model.get("finds") ? text.drop_fields : text.drop),
    h("p", { class: "dash-muted" }, text.hint),
    choose,
    input,
    h("p", { class: "dash-muted dash-formats" }, model.get("finds") ? text.formats_fields : text.formats),
  );
  const examples = h("button", { type: "button", class: "dash-button", onclick: () => loadExamples() }, text.examples);
  const aside = h("div", { class: "dash-aside" }, h("span", { class: "dash-muted" }, text.none), examples);
  const transfer = progressRow(text.transfer);
  const classify = progressRow(text.classify);
  const cancel = h("button", { type: "button", class: "dash-button", onclick: stop }, text.cancel);
  const running = h("div", { class: "dash-running", hidden: true }, transfer.row, classify.row, cancel);
  const preparing = h("p", { class: "dash-muted dash-preparing", role: "status" }, h("span", { class: "dash-spin", "aria-hidden": "true" }), text.preparing);
  const summary = h("div", { class: "dash-summary", role: "status" });
  const problem = h("p", { class: "dash-strip dash-error", role: "alert", hidden: true });
  el.classList.add("dash-uploader");
  const pick = (label) => h("button", { type: "button", class: "dash-button dash-small", onclick: () => pickOne() }, label);
  const ask = (label, act) => h("button", { type: "button", class: "dash-button dash-small", onclick: act }, label);
  const back = ask(text.first_model, () => mayLose() && model.send({ kind: "bundle" }));
  const others = h(
    "details",
    { class: "dash-others" },
    h("summary", {}, text.others),
    h("p", { class: "dash-muted" }, text.others_note),
    h("div", { class: "dash-buttons" }, pick(text.open_review), pick(text.other_model), ask(text.save_model, () => model.send({ kind: "save_bundle" })), back),
  );
  const photographs = createPhotographs(model, words, kept);
  el.append(zone, photographs.el, problem, running, preparing, summary, aside, others, h("p", { class: "dash-muted dash-private" }, text.private));

  function progressRow(name) {
    const bar = h("progress", { class: "dash-progress", max: 1, value: 0, "aria-label": name });
    const numbers = h("span", { class: "dash-number" });
    const label = h("span", { class: "dash-row-name" }, name);
    return { bar, numbers, name: label, row: h("div", { class: "dash-row" }, label, bar, numbers) };
  }

  function icon() {
    const lines = ["M24 32V10", "M15 18l9-9 9 9", "M8 30v8a2 2 0 0 0 2 2h28a2 2 0 0 0 2-2v-8"];
    const box = { viewBox: "0 0 48 48", class: "dash-icon", "aria-hidden": "true" };
    return svg("svg", box, ...lines.map((d) => svg("path", { d })));
  }

  function draw() {
    const current = sender.current();
    const progress = model.get("progress");
    const working = progress.total !== undefined;
    const phase = model.get("phase");
    running.hidden = !(current || working);
    transfer.row.hidden = !current;
    showProgress(words, classify.bar, classify.numbers, working ? progress : { done: 0, total: 1 });
    classify.name.textContent = text[`working.${progress.kind}`] ?? text.classify;
    classify.numbers.hidden = !working;
    preparing.hidden = phase !== "preparing";
    zone.classList.toggle("dash-off", phase === "failed");
    choose.disabled = examples.disabled = phase === "failed";
    aside.hidden = !model.get("examples");
    back.hidden = !model.get("foreign");
    photographs.el.hidden = !model.get("finds");
    if (current) {
      const { received, total } = current;
      transfer.bar.value = total ? received / total : 1;
      transfer.numbers.textContent = fill(text.of, { done: megabytes(received), total: `${megabytes(total)} MB` });
    }
    drawSummary(working);
  }

  function drawSummary(working) {
    const found = model.get("summary");
    const any = found.n !== undefined && !working && !sender.current();
    summary.hidden = !any;
    summary.replaceChildren();
    if (!any) return;
    const n = found.n;
    const details = model.get("doubts").filter((key) => found[key]).map((key) => h("span", { class: `dash-badge dash-badge-${key}` }, h("b", { "aria-hidden": "true" }, signs[key]), fill(text[key], { n: found[key] })));
    const go = (tab, label) => h("button", { type: "button", class: "dash-button", onclick: () => openTab(el, tab) }, label);
    summary.append(
      h("p", { class: "dash-done" }, n ? count("done", n) : text.nothing, " ", found.fields ? count("in_fields", found.fields) : "", " ", ...details),
      h(
        "div",
        { class: "dash-buttons" },
        ...model.get("links").map(([tab, label]) => go(tab, label)),
        h("button", { type: "button", class: "dash-button dash-quiet", onclick: () => mayLose() && model.send({ kind: "clear" }) }, text.clear),
      ),
    );
  }

  function megabytes(bytes) {
    const value = bytes / 2 ** 20;
    return value < 10 ? number(value, 1) : number(value);
  }

  function complain(sentence) {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  // --- unsaved work is not lost without a question ---
  function mayLose() {
    const n = model.get("unsaved");
    return !n || window.confirm(count("unsaved", n));
  }
  window.addEventListener("dash:leave", (event) => model.get("unsaved") && event.preventDefault(), { signal });

  /** Images join what is there, or take its place: act(add). A review or a model always takes its place. */
  function decide(replaces, act) {
    if (replaces) return mayLose() && act(false);
    const running = model.get("progress").total !== undefined || sender.current() !== null;
    if (!model.get("there") && !running) return act(false);
    openTab(el, "upload");
    return question.ask(model.get("there"), model.get("unsaved"), running, act);
  }
  const question = createQuestion(words);
  el.append(question.el);

  // --- how files come in ---
  let onlyOne = false; // a saved review or a model is wanted
  function pickFiles() {
    onlyOne = false;
    input.click();
  }
  function pickOne() {
    onlyOne = true;
    input.click();
  }
  input.addEventListener("change", () => {
    const files = [...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
    input.value = ""; // so that the same files can be chosen again
    take(files, onlyOne);
    onlyOne = false;
  });

  async function take(files, replaces = false) {
    if (files.length) decide(replaces || (await opensWhole(files)), (add) => start(files, { add }));
  }
  whenAttached(
    el,
    (root) => {
      let depth = 0;
      const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
      const on = (name, act) =>
        root.addEventListener(
          name,
          (event) => {
            if (!holdsFiles(event)) return;
            event.preventDefault(); // otherwise the browser would leave the page and show the file
            act(event);
          },
          { signal },
        );
      const light = () => zone.classList.toggle("dash-over", depth > 0);
      on("dragenter", () => ((depth += 1), light()));
      on("dragleave", () => ((depth = Math.max(0, depth - 1)), light()));
      on("dragover", (event) => (event.dataTransfer.dropEffect = "copy"));
      on("drop", async (event) => {
        depth = 0;
        light();
        openTab(el, "upload");
        const files = await readDropped(event.dataTransfer, limits.files, model.get("clutter"));
        take(files);
      });
      model.send({ kind: "hello" });
    },
    signal,
  );

  el.addEventListener("dash:restore", ({ detail }) => mayLose() && start(detail, { kept: true }), { signal });

  // --- sending ---
  function loadExamples() {
    decide(false, (add) => {
      sender.forget();
      complain("");
      model.send({ kind: "examples", add });
      draw();
    });
  }

  function start(files, how) {
    complain("");
    if (files.length > limits.files) return complain(fill(text.toomany, { count: files.length, limit: limits.files }));
    const good = files.filter(({ file }) => file);
    const size = good.reduce((sum, { file }) => sum + file.size, 0);
    if (size > limits.bytes) return complain(fill(text.toolarge, { size: Math.ceil(size / 2 ** 20), limit: Math.floor(limits.bytes / 2 ** 20) }));
    sender.start(good, files.filter(({ file }) => !file).map(({ name }) => name), how);
  }

  function stop() {
    sender.forget();
    model.send({ kind: "cancel" });
    draw();
  }

  function broken() {
    complain(text.broken);
    draw();
  }

  for (const name of ["progress", "summary", "phase", "examples", "foreign", "finds", "links"]) model.on(`change:${name}`, draw);
  sender.resume();
  draw();
  return sender.end;
}

export default { render: live(render) };
