// What one widget asks of another: an event in the page, so that they need not know each other.

/** Ask for another tab. */
export function openTab(from, tab) {
  from.dispatchEvent(new CustomEvent("dash:tab", { bubbles: true, detail: tab }));
}

/** Ask for the gallery with the cells that its filter by review calls `review`. */
export function showInGallery(from, review) {
  openTab(from, "classification");
  from.closest(".dash-app").querySelector(".dash-gallery").dispatchEvent(new CustomEvent("dash:show", { detail: review }));
}
