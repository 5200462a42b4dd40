// The hooks that Voilà's page calls, the visitor's language and theme before anything is drawn, and the end of
// the waiting screen: it goes when the app has drawn itself.

window.voila_heartbeat = () => {};
window.update_loading_text = () => {};
window.display_cells = () => {};
window.voila_process = () => {};
window.voila_finish = () => {};
window.cellLoaded = true;

// anywidget gives a part two seconds to start and then leaves it deaf for good. On a phone or a busy machine that is not
// enough, and the part would stay empty.
{
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms === 2000 ? 60000 : ms);
}

(() => {
  const chosen = (name) => {
    try {
      return localStorage.getItem(`dash.${name}`); // written by nav.js
    } catch {
      return null; // this browser keeps nothing
    }
  };
  const page = document.documentElement;
  const all = JSON.parse(document.getElementById("words").textContent); // language -> name -> words
  const wanted = [chosen("language"), ...navigator.languages].map((tag) => tag?.split("-")[0]);
  page.lang = wanted.find((language) => Object.hasOwn(all, language)) ?? "en";
  if (chosen("theme")) page.dataset.theme = chosen("theme");
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
