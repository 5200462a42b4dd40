// Sends files to Python as one stream of acknowledged pieces. What a visitor sees of it is for uploader.js.

const RESEND_AFTER = 6000; // ms without an acknowledgement
const GIVE_UP_AFTER = 90000;

/**
 * `kept` keeps an upload that the page's change of language interrupts. `changed()` is called when there is something to
 * show, `broken()` when the upload has failed.
 */
export function createSender(model, limits, kept, { changed, broken }) {
  let current = kept.upload ?? null; // the upload that is under way

  /** files: [{name, file}, ...]; unreadable: names of files that the browser could not read; how: {add, kept}. */
  function start(files, unreadable, how) {
    forget();
    const stream = new Blob(files.map(({ file }) => file));
    current = {
      key: Math.random().toString(36).slice(2) + Date.now().toString(36),
      files,
      begin: { files: files.map(({ name, file }) => [name, file.size]), unreadable, ...how },
      how,
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
    changed();
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

  /** A file was moved or deleted after it was selected: start again without it. */
  async function leaveOutUnreadable(upload) {
    const readable = await Promise.all(upload.files.map(({ file }) => file.slice(0, 1).arrayBuffer().then(() => true, () => false)));
    if (upload !== current) return;
    const lost = upload.files.filter((_, i) => !readable[i]).map(({ name }) => name);
    if (!lost.length) return fail();
    start(upload.files.filter((_, i) => readable[i]), [...upload.begin.unreadable, ...lost], upload.how);
  }

  /** Twice a second: continue after a pause, and send again what was not acknowledged. */
  function watch(upload) {
    const now = Date.now();
    if (upload !== current) return;
    if (now - upload.heard > GIVE_UP_AFTER) return fail();
    if (now - Math.max(upload.heard, upload.asked) > RESEND_AFTER) {
      upload.asked = now;
      upload.next = upload.due;
      model.send({ kind: "begin", key: upload.key, ...upload.begin });
    }
    pump(upload);
  }

  function fail() {
    forget();
    model.send({ kind: "broken" });
    broken();
  }

  model.on("msg:custom", (message) => {
    if (!current || message.key !== current.key) return;
    if (message.kind === "refused") return fail();
    if (message.kind !== "due") return;
    current.heard = Date.now();
    current.due = Math.max(current.due, message.number);
    current.next = Math.max(current.next, current.due);
    current.received = message.received;
    current.waitUntil = message.wait ? Date.now() + 400 : 0;
    if (message.complete) forget();
    else pump(current);
    changed();
  });

  return {
    start,
    resume,
    forget,
    /** {received, total} in bytes, or null while nothing is sent. */
    current: () => current,
    end() {
      kept.upload = current;
      forget();
    },
  };
}
