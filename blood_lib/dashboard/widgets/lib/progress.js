// How far a task is.

/** Shown by a progress bar and in numbers. Without a total the bar only moves. */
export function showProgress({ text, fill }, bar, numbers, { done, total }) {
  if (total) bar.value = done / total;
  else bar.removeAttribute("value");
  numbers.textContent = total ? fill(text.of, { done, total }) : "";
}
