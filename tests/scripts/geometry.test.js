import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, distance, isWithin, middle, roundLength } from "../../blood_lib/dashboard/widgets/lib/geometry.js";

const L = [[0, 0], [4, 0], [4, 2], [2, 2], [2, 4], [0, 4]]; // a square without its upper right quarter

test("a point lies in a polygon or not, the hollow of one included", () => {
  assert.deepEqual([[1, 1], [1, 3], [3, 1], [3, 3], [5, 1], [-1, 1]].map((point) => isWithin(point, L)), [true, true, true, false, false, false]);
});

test("a line and nothing hold no point", () => {
  assert.equal(isWithin([1, 0], [[0, 0], [2, 0]]), false);
  assert.equal(isWithin([1, 0], []), false);
});

test("points have a middle and a distance, values have limits", () => {
  assert.deepEqual(middle([[0, 0], [4, 2]]), [2, 1]);
  assert.equal(distance([[0, 0], [3, 4]]), 5);
  assert.deepEqual([-1, 0.5, 2].map((value) => clamp(value, 0, 1)), [0, 0.5, 1]);
});

test("a scale bar has a round length", () => {
  assert.deepEqual([0.9, 1, 4.9, 5, 19.9, 73].map((longest) => roundLength(longest)), [0.5, 1, 2, 5, 10, 50]);
});
