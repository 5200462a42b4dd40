// The hooks that Voilà's page calls, and the end of the waiting screen: it goes when the app has drawn itself.

window.voila_heartbeat = () => {};
window.update_loading_text = () => {};
window.display_cells = () => {};
window.voila_process = () => {};
window.voila_finish = () => {};
window.cellLoaded = true;

document.addEventListener("DOMContentLoaded", () => {
  const loading = document.getElementById("loading");
  const there = () => document.querySelector(".dash-app[data-tab] .dash-uploader, main .plain");
  const look = () => {
    if (!there()) return;
    watcher.disconnect();
    clearTimeout(slow);
    loading.hidden = true;
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-tab"] });
  const slow = setTimeout(() => {
    document.getElementById("loading_text").textContent = "This takes longer than usual. If nothing happens, reload the page.";
  }, 30000);
  look();
});
