// What a pointer does in the gallery: a mouse drags cards to a group or draws a frame around them, a finger that
// rests on a card starts a selection. Clicks are for gallery.js.

import { h } from "../widgets/lib/dom.js";

const FAR = 6; // px that a press may move and still be a click
const LONG = 450; // ms
const EDGE = 120; // px from the screen's edge where dragging scrolls

/**
 * acts: take(id) -> the text beside the pointer while this card is dragged; over(group or null) and drop(group) for
 * a drag; frame({left, top, right, bottom} in px on the screen, more) while a frame is drawn; rest(id) for a finger that
 * rests on a card; end() in any case.
 */
export function listenToPointers(root, signal, acts) {
  let press = null; // {x, y, id, origin, more} where the pointer went down
  let action = null; // "drag", "frame" or "rest", and then "over"
  let last = null; // the latest pointer event of the action
  let timer = null;
  const ghost = h("div", { class: "dash-ghost", hidden: true, "aria-hidden": "true" });
  const frame = h("div", { class: "dash-lasso", hidden: true });
  root.append(frame, ghost);

  const on = (target, name, act) => target.addEventListener(name, act, { signal });
  const cardOf = (event) => event.target.closest(".dash-card");
  const inRoot = ({ clientX, clientY }) => {
    const { left, top } = root.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };

  on(root, "pointerdown", (event) => {
    action = null;
    const card = cardOf(event);
    if (!event.isPrimary || event.button !== 0 || event.target.closest("button, a, table")) return;
    if (event.pointerType === "touch" && !card) return;
    press = { x: event.clientX, y: event.clientY, id: card?.item.id, origin: inRoot(event), touch: event.pointerType === "touch", more: event.ctrlKey || event.metaKey || event.shiftKey };
    if (press.touch) timer = setTimeout(rest, LONG);
  });

  function rest() {
    action = "rest";
    acts.rest(press.id);
  }

  on(root, "pointermove", (event) => {
    if (!press) return;
    if (!press.touch && !event.buttons) return finish(); // released outside the window
    const far = Math.hypot(event.clientX - press.x, event.clientY - press.y) > FAR;
    if (press.touch) return far && action === null ? finish() : undefined;
    if (action === null && far) start(event);
    if (action !== null) follow(event);
  });

  function start(event) {
    root.setPointerCapture(event.pointerId);
    action = press.id === undefined ? "frame" : "drag";
    if (action === "drag") ghost.textContent = acts.take(press.id);
    root.classList.add("dash-busy");
    scroll();
  }

  function follow(event) {
    last = event;
    if (action === "drag") {
      ghost.hidden = false;
      ghost.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 12}px)`;
      acts.over(groupAt(event));
    } else drawFrame();
  }

  function groupAt({ clientX, clientY }) {
    const group = document.elementFromPoint(clientX, clientY)?.closest("[data-group]")?.dataset.group;
    return group === undefined ? null : Number(group);
  }

  function drawFrame() {
    const { x, y } = inRoot(last);
    const [left, right] = [x, press.origin.x].sort((a, b) => a - b);
    const [top, bottom] = [y, press.origin.y].sort((a, b) => a - b);
    frame.hidden = false;
    Object.assign(frame.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    acts.frame(frame.getBoundingClientRect(), press.more);
  }

  /** Near the upper or lower edge of the screen the page scrolls, unless the pointer is over the tray, which stays. */
  function scroll() {
    if (action !== "drag" && action !== "frame") return;
    if (last && !document.elementFromPoint(last.clientX, last.clientY)?.closest(".dash-tray")) {
      const by = Math.max(0, last.clientY - window.innerHeight + EDGE) - Math.max(0, EDGE - last.clientY);
      if (by) scrollerOf(root).scrollBy(0, by / 4);
      if (by && action === "frame") drawFrame();
    }
    requestAnimationFrame(scroll);
  }

  on(root, "pointerup", (event) => {
    const group = action === "drag" ? groupAt(event) : null;
    finish();
    if (group !== null) acts.drop(group);
  });
  on(root, "pointercancel", () => finish());
  on(document, "keydown", (event) => {
    if (event.key !== "Escape" || (action !== "drag" && action !== "frame")) return;
    event.preventDefault();
    finish();
  });
  // A resting finger would open the browser's menu. And after each action the browser reports a click.
  on(root, "contextmenu", (event) => press?.touch && cardOf(event) && event.preventDefault());
  root.addEventListener(
    "click",
    (event) => {
      if (action === null) return;
      event.stopPropagation();
      action = null;
    },
    { signal, capture: true },
  );

  function finish() {
    clearTimeout(timer);
    if (action !== null) action = "over"; // until the browser reports a click for it
    ghost.hidden = frame.hidden = true;
    root.classList.remove("dash-busy");
    press = last = null;
    acts.end();
  }
}

/** The element that scrolls what `el` is in. */
function scrollerOf(el) {
  for (let node = el.parentElement; node && node !== document.body; node = node.parentElement) {
    if (node.scrollHeight > node.clientHeight && /auto|scroll/.test(getComputedStyle(node).overflowY)) return node;
  }
  return document.scrollingElement;
}
