// The cells and rejected files of a run, as Python sends them, and which of them a filter lets through.

export const EVERYTHING = { status: "all", group: "all", review: "all" }; // filters that hide nothing

/** Keeps {id, name, group, model, status, confidence, decided, proposed, batch, url} of each cell. */
export function createItems() {
  const items = new Map(); // by id
  let rejected = []; // [name, reason] of each file
  let streaming = false;
  let batch = 0;

  /** New and changed cells. While more arrive, each batch goes behind the ones before it. */
  function add(message) {
    streaming = message.more;
    batch += 1;
    for (const [id, name, group, said, status, confidence, decided, proposed] of message.items) {
      const { url, asked, batch: before } = items.get(id) ?? {};
      items.set(id, { id, name, group, model: said, status, confidence, decided, proposed, url, asked, batch: before ?? batch });
    }
    for (const id of message.gone) {
      const { url } = items.get(id) ?? {};
      if (url) URL.revokeObjectURL(url);
      items.delete(id);
    }
    if (!streaming) for (const item of items.values()) item.batch = 0;
    if (message.rejected.length) rejected = rejected.concat(message.rejected);
  }

  function forget() {
    for (const { url } of items.values()) if (url) URL.revokeObjectURL(url);
    items.clear();
    rejected = [];
  }

  return {
    add,
    forget,
    get: (id) => items.get(id),
    has: (id) => items.has(id),
    all: () => [...items.values()],
    rejected: () => rejected, // another list when there are more
    streaming: () => streaming,
  };
}

/** Do the filters show this cell? `done`: "moved", "confirmed", "bulk" or "". */
export function passes({ status, group, review }, item, done) {
  const reviewed = item.decided === "person";
  const known = ["all", done, reviewed ? "reviewed" : "open", !reviewed && item.status !== "ok" && "doubtful", item.proposed && "proposed"];
  return (status === "all" || status === item.status) && (group === "all" || Number(group) === item.group) && known.includes(review);
}

/** Do the filters show rejected files? */
export function passesRejected({ status, group, review }) {
  return ["all", "rejected"].includes(status) && group === "all" && review === "all";
}
