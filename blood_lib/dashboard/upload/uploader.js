// Takes files by drop or picker and sends them to Python as one stream of acknowledged pieces.

import { h, svg } from "../widgets/lib/dom.js";
import { openTab } from "../widgets/lib/events.js";
import { live, whenAttached } from "../widgets/lib/live.js";
import { SIGNS } from "../widgets/lib/markers.js";
import { showProgress } from "../widgets/lib/progress.js";

const CLUTTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"]);
const RESEND_AFTER = 6000; // ms without an acknowledgement
const GIVE_UP_AFTER = 90000;

function render({ model, el, words, kept, signal }) {
  const { text, number, fill, count } = words;
  const limits = model.get("limits");
  let current = kept.upload ?? null; // the upload that is under way

  // --- what is shown ---
  const input = h("input", { type: "file", multiple: true, class: "dash-file", tabindex: -1, "aria-hidden": "true", accept: "image/*,.zip,.tif,.tiff,.bmp" });
  const choose = h("button", { type: "button", class: "dash-button dash-primary", onclick: () => input.click() }, text.choose);
  const zone = h(
    "div",
    { class: "dash-drop" },
    icon(),
    h("p", { class: "dash-drop-title" }, text.drop),
    h("p", { class: "dash-muted" }, text.hint),
    choose,
    input,
    h("p", { class: "dash-muted dash-formats" }, text.formats),
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
  const pick = (label) => h("button", { type: "button", class: "dash-button dash-small", onclick: () => input.click() }, label);
  const ask = (label, act) => h("button", { type: "button", class: "dash-button dash-small", onclick: act }, label);
  const back = ask(text.first_model, () => mayLose() && model.send({ kind: "bundle" }));
  const others = h(
    "details",
    { class: "dash-others" },
    h("summary", {}, text.others),
    h("p", { class: "dash-muted" }, text.others_note),
    h("div", { class: "dash-buttons" }, pick(text.open_review), pick(text.other_model), ask(text.save_model, () => model.send({ kind: "save_bundle" })), back),
  );
  el.append(zone, problem, running, preparing, summary, aside, others, h("p", { class: "dash-muted dash-private" }, text.private));

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
    if (current) {
      const { received, total } = current;
      transfer.bar.value = total ? received / total : 1;
      transfer.numbers.textContent = fill(text.of, { done: megabytes(received), total: `${megabytes(total)} MB` });
    }
    drawSummary(working);
  }

  function drawSummary(working) {
    const found = model.get("summary");
    const any = found.n !== undefined && !working && !current;
    summary.hidden = !any;
    summary.replaceChildren();
    if (!any) return;
    const n = found.n;
    const details = ["uncertain", "unfamiliar", "rejected"].filter((key) => found[key]).map((key) => h("span", { class: `dash-badge dash-badge-${key}` }, h("b", { "aria-hidden": "true" }, SIGNS[key]), fill(text[key], { n: found[key] })));
    const go = (tab, label) => h("button", { type: "button", class: "dash-button", onclick: () => openTab(el, tab) }, label);
    summary.append(
      h("p", { class: "dash-done" }, n ? count("done", n) : text.nothing, " ", ...details),
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

  // --- how files come in ---
  input.addEventListener("change", () => {
    const files = [...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
    input.value = ""; // so that the same files can be chosen again
    if (mayLose()) start(files);
  });
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
        const files = await dropped(event.dataTransfer);
        if (mayLose()) start(files);
      });
      model.send({ kind: "hello" });
    },
    signal,
  );

  /** [{name, file}] of what was dropped, folders walked. */
  async function dropped(transferred) {
    const entries = [...transferred.items].map((item) => item.webkitGetAsEntry?.());
    if (entries.some((entry) => !entry)) return [...transferred.files].map((file) => ({ name: file.name, file }));
    const found = [];
    for (const entry of entries) await walk(entry, found);
    return found;
  }

  async function walk(entry, found) {
    if (found.length > limits.files || CLUTTER.has(entry.name) || entry.name.startsWith("._")) return;
    const name = entry.fullPath.replace(/^\//, "");
    if (entry.isFile) {
      try {
        found.push({ name, file: await new Promise((yes, no) => entry.file(yes, no)) });
      } catch {
        found.push({ name, file: null });
      }
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((yes, no) => reader.readEntries(yes, no)).catch(() => []);
      if (!some.length) return;
      some.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const child of some) await walk(child, found);
    }
  }

  // --- sending ---
  function loadExamples() {
    if (!mayLose()) return;
    forget();
    complain("");
    model.send({ kind: "examples" });
    draw();
  }

  function start(files, unreadable = []) {
    if (!files.length && !unreadable.length) return;
    complain("");
    if (files.length > limits.files) return complain(fill(text.toomany, { count: files.length, limit: limits.files }));
    const good = files.filter(({ file }) => file);
    const lost = [...unreadable, ...files.filter(({ file }) => !file).map(({ name }) => name)];
    const stream = new Blob(good.map(({ file }) => file));
    if (stream.size > limits.bytes) return complain(fill(text.toolarge, { size: Math.ceil(stream.size / 2 ** 20), limit: Math.floor(limits.bytes / 2 ** 20) }));
    forget();
    current = {
      key: Math.random().toString(36).slice(2) + Date.now().toString(36),
      files: good,
      begin: { files: good.map(({ name, file }) => [name, file.size]), unreadable: lost },
      stream,
      total: stream.size,
      pieces: Math.ceil(stream.size / limits.piece),
      due: 0,
      next: 0,
      received: 0,
      heard: Date.now(),
      asked: Date.now(),
      waitUntil: 0,
      pumping: false,
    };
    model.send({ kind: "begin", key: current.key, ...current.begin });
    resume();
    draw();
  }

  /** Continue the current upload. It may have started before the page changed its language. */
  function resume() {
    if (!current) return;
    current.timer = setInterval(() => watch(current), 500);
    pump(current);
  }

  function forget() {
    if (current) clearInterval(current.timer);
    current = null;
  }

  function stop() {
    forget();
    model.send({ kind: "cancel" });
    draw();
  }

  /** Send as many pieces as may be on their way at once. */
  async function pump(upload) {
    if (upload.pumping) return;
    upload.pumping = true;
    try {
      while (upload === current && upload.next < upload.pieces && upload.next < upload.due + limits.window && Date.now() >= upload.waitUntil) {
        const number = upload.next;
        const piece = await upload.stream.slice(number * limits.piece, (number + 1) * limits.piece).arrayBuffer();
        if (upload !== current || number !== upload.next) continue;
        upload.next = number + 1;
        model.send({ kind: "piece", key: upload.key, number }, undefined, [piece]);
      }
    } catch {
      await leaveOutUnreadable(upload);
    } finally {
      upload.pumping = false;
    }
  }

  /** A file was moved or deleted after it was chosen: start again without it. */
  async function leaveOutUnreadable(upload) {
    const readable = await Promise.all(upload.files.map(({ file }) => file.slice(0, 1).arrayBuffer().then(() => true, () => false)));
    if (upload !== current) return;
    const lost = upload.files.filter((_, i) => !readable[i]).map(({ name }) => name);
    if (!lost.length) return fail(text.broken);
    start(upload.files.filter((_, i) => readable[i]), [...upload.begin.unreadable, ...lost]);
  }

  /** Twice a second: continue after a pause, and send again what was not acknowledged. */
  function watch(upload) {
    const now = Date.now();
    if (upload !== current) return;
    if (now - upload.heard > GIVE_UP_AFTER) return fail(text.broken);
    if (now - Math.max(upload.heard, upload.asked) > RESEND_AFTER) {
      upload.asked = now;
      upload.next = upload.due;
      model.send({ kind: "begin", key: upload.key, ...upload.begin });
    }
    pump(upload);
  }

  function fail(sentence) {
    forget();
    complain(sentence);
    model.send({ kind: "broken" });
    draw();
  }

  model.on("msg:custom", (message) => {
    if (!current || message.key !== current.key) return;
    if (message.kind === "refused") return fail(text.broken);
    if (message.kind !== "due") return;
    current.heard = Date.now();
    current.due = Math.max(current.due, message.number);
    current.next = Math.max(current.next, current.due);
    current.received = message.received;
    current.waitUntil = message.wait ? Date.now() + 400 : 0;
    if (message.complete) forget();
    else pump(current);
    draw();
  });

  for (const name of ["progress", "summary", "phase", "examples", "foreign"]) model.on(`change:${name}`, draw);
  resume();
  draw();
  return () => {
    kept.upload = current;
    forget();
  };
}

export default { render: live(render) };
