// What each key asks for, wherever the focus is. keys.js passes it on.

const DO = {
  ArrowRight: { what: "step", by: 1 },
  ArrowDown: { what: "step", by: 1, scrolls: true },
  j: { what: "step", by: 1 },
  ArrowLeft: { what: "step", by: -1 },
  ArrowUp: { what: "step", by: -1, scrolls: true },
  k: { what: "step", by: -1 },
  n: { what: "step", by: 1, doubtful: true },
  c: { what: "confirm" },
  a: { what: "accept" },
  l: { what: "dismiss" },
  m: { what: "menu" },
  h: { what: "heat" },
  "+": { what: "zoom", by: 1 },
  "=": { what: "zoom", by: 1 },
  "-": { what: "zoom", by: -1 },
  0: { what: "zoom", by: 0 },
  Escape: { what: "close" },
  "?": { what: "help" },
};
const PAN = { ArrowRight: [-1, 0], ArrowLeft: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/** What a key asks for: {what, ...}, or undefined. */
export function requestOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return { z: { what: event.shiftKey ? "redo" : "undo" }, y: { what: "redo" } }[key];
  if (event.shiftKey && PAN[key]) return { what: "pan", by: PAN[key] };
  if (DO[key]) return DO[key];
  return key.length === 1 ? { what: "group", key: key.toUpperCase() } : undefined; // the viewer knows whether a group has this key
}
