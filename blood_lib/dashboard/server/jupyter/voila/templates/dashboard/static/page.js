// The hooks that Voilà's page calls, the visitor's language and theme before anything is drawn, the end of the waiting
// screen, which goes when the app has drawn itself, and a question before a review is lost.

window.voila_heartbeat = () => {};
window.update_loading_text = () => {};
window.display_cells = () => {};
window.voila_process = () => {};
window.voila_finish = () => {};
window.cellLoaded = true;

// anywidget gives a widget two seconds to start and then leaves it deaf for good. On a phone or a busy machine that is not
// enough, and the widget would stay empty.
{
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms === 2000 ? 60000 : ms);
}

// Whoever would lose something is asked before the page is left. Voilà ends the kernel as soon as the browser thinks of
// leaving: it is told of it only when the page goes. This listener has to be there before Voilà's.
window.addEventListener("beforeunload", (event) => {
  const leaving = new Event("dash:leave", { cancelable: true }); // uploader.js objects while a review is in no file
  if (!event.isTrusted || window.dispatchEvent(leaving)) return;
  event.preventDefault(); // the browser asks, in words of its own
  event.stopImmediatePropagation();
  window.addEventListener("pagehide", () => window.dispatchEvent(new Event("beforeunload")), { once: true });
});

(() => {
  const remembered = (name) => {
    try {
      return localStorage.getItem(`dash.${name}`); // written by nav.js
    } catch {
      return null; // this browser keeps nothing
    }
  };
  const page = document.documentElement;
  const all = JSON.parse(document.getElementById("words").textContent); // language -> name -> words
  const wanted = [remembered("language"), ...navigator.languages].map((tag) => tag?.split("-")[0]);
  page.lang = wanted.find((language) => Object.hasOwn(all, language)) ?? "en";
  if (remembered("theme")) page.dataset.theme = remembered("theme");
  const words = all[page.lang];
  document.title = words.title;

  const there = () => document.querySelector(".dash-app[data-tab] .dash-uploader, main .plain");
  const look = () => {
    for (const node of document.querySelectorAll("[data-word]:empty")) node.textContent = words[node.dataset.word];
    if (!there()) return;
    watcher.disconnect();
    clearTimeout(slow);
    document.getElementById("loading").hidden = true;
  };
  const watcher = new MutationObserver(look);
  watcher.observe(page, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-tab"] });
  const slow = setTimeout(() => {
    document.getElementById("loading_text").textContent = words.slow;
  }, 30000);
})();
