// How far a piece of work is.

/** In a progress bar and in numbers; where it is not known, the bar only moves. */
export function showProgress({ text, fill }, bar, numbers, { done, total }) {
  if (total) bar.value = done / total;
  else bar.removeAttribute("value");
  numbers.textContent = total ? fill(text.of, { done, total }) : "";
}
