import assert from "node:assert/strict";
import { test } from "node:test";
import { walk } from "../../blood_lib/dashboard/gallery/walk.js";

/** Two groups, three cards a row: 0 1 2 / 3 4, and below them 5 6 7 / 8. */
const sections = [[0, 1, 2, 3, 4], [5, 6, 7, 8]].map((ids) => ({
  grid: {
    items: () => ids.map((id) => ({ id })),
    place: (id) => (ids.includes(id) ? ids.indexOf(id) : undefined),
    columns: () => 3,
  },
}));
const from = (id, key) => walk(sections, key, id);

test("left and right go through all groups and stop at either end", () => {
  assert.deepEqual([from(0, "ArrowRight"), from(4, "ArrowRight"), from(8, "ArrowRight")], [1, 5, 8]);
  assert.deepEqual([from(1, "ArrowLeft"), from(5, "ArrowLeft"), from(0, "ArrowLeft")], [0, 4, 0]);
});

test("down keeps the column, or takes the last card of a shorter row", () => {
  assert.deepEqual([from(0, "ArrowDown"), from(2, "ArrowDown"), from(4, "ArrowDown"), from(8, "ArrowDown")], [3, 4, 6, 8]);
});

test("up keeps the column, into the last row of the group above", () => {
  assert.deepEqual([from(3, "ArrowUp"), from(5, "ArrowUp"), from(7, "ArrowUp"), from(1, "ArrowUp")], [0, 3, 4, 1]);
});

test("Home and End stay in the group, other keys lead nowhere", () => {
  assert.deepEqual([from(7, "Home"), from(5, "End"), from(5, "x")], [5, 8, undefined]);
});
