// Where the cards of one group lie, side by side or as a list: arithmetic alone. Lengths are in px, places are measured
// from the corner of the group's grid.

const SMALLEST = 96; // a card's width
const LINE = 28; // the line below its picture
const LISTED = 54; // a card's height in a list
const LISTED_NARROW = 72; // the same where its words need two lines
const NARROW = 480; // a grid with less width is narrow
const MARGIN = 40; // beside a list, where a frame can begin
const GAP = 10;
const NEAR = 600; // above and below the screen

/** The layout before the grid's width is known: {columns, width and height of a card}. */
export const START = { columns: 1, width: SMALLEST, height: SMALLEST + LINE };

/** The layout for a grid of this width; in a list each card has a row for itself. */
export function fitCards(whole, asList) {
  const narrow = whole < NARROW;
  const columns = asList ? 1 : Math.max(1, Math.floor((whole + GAP) / (SMALLEST + GAP)));
  const width = asList && !narrow ? whole - MARGIN : (whole - GAP * (columns - 1)) / columns;
  const height = !asList ? width + LINE : narrow ? LISTED_NARROW : LISTED;
  return { columns, width, height };
}

/** How high a grid of n cards is. */
export function gridHeight({ columns, height }, n) {
  return Math.max(0, Math.ceil(n / columns) * (height + GAP) - GAP);
}

/** Where card number i lies. */
export function boxOf({ columns, width, height }, i) {
  const [left, top] = [(i % columns) * (width + GAP), Math.floor(i / columns) * (height + GAP)];
  return { left, top, right: left + width, bottom: top + height };
}

/** The numbers [first, last) of the cards near a screen of this height; `top`: where on it the grid begins. */
export function cardsNear({ columns, height }, top, screen) {
  const first = Math.max(0, Math.floor((-NEAR - top) / (height + GAP))) * columns;
  const last = (Math.floor((screen + NEAR - top) / (height + GAP)) + 1) * columns;
  return [first, Math.max(first, last)];
}
