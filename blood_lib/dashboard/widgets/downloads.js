// Receives files from Python piece by piece and offers them as a download.

import { h } from "./lib/dom.js";
import { live } from "./lib/live.js";

const ASK_AGAIN_AFTER = 4000; // ms without the piece

function render({ model }) {
  let current = null; // {key, name, type, pieces, taken}
  let timer = null;

  function ask() {
    model.send({ kind: "take", key: current.key, number: current.taken.length });
    clearTimeout(timer);
    timer = setTimeout(ask, ASK_AGAIN_AFTER);
  }

  function keep(buffer) {
    current.taken.push(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
    if (current.taken.length < current.pieces) return ask();
    const url = URL.createObjectURL(new Blob(current.taken, { type: current.type }));
    h("a", { href: url, download: current.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    model.send({ kind: "done", key: current.key });
    stop();
  }

  function stop() {
    clearTimeout(timer);
    current = null;
  }

  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "offer") {
      current = { ...message, taken: [] };
      ask();
    } else if (message.kind === "stop") stop();
    else if (message.kind === "piece" && message.key === current?.key && message.number === current.taken.length) keep(buffers[0]);
  });
  model.send({ kind: "hello" });
  return stop;
}

export default { render: live(render) };
