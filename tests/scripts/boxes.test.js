import assert from "node:assert/strict";
import { test } from "node:test";
import { around, between, cellAt, cornerAt, pathOf, shift, stretch, usualSide } from "../../blood_lib/dashboard/field/boxes.js";

const SIZE = [200, 100];

test("a box is drawn from any corner to the one across, and ends at the field's edge", () => {
  assert.deepEqual(between([10, 20], [40, 60], SIZE), [10, 20, 30, 40]);
  assert.deepEqual(between([40, 60], [10, 20], SIZE), [10, 20, 30, 40]);
  assert.deepEqual(between([190, 90], [250, 170], SIZE), [190, 90, 10, 10]);
});

test("a box that is moved keeps its size and stays in the field", () => {
  assert.deepEqual(shift([10, 20, 30, 40], 5, -5, SIZE), [15, 15, 30, 40]);
  assert.deepEqual(shift([10, 20, 30, 40], -50, 500, SIZE), [0, 60, 30, 40]);
  assert.deepEqual(around([0, 0], 20, SIZE), [0, 0, 20, 20]);
});

test("a corner that is moved leaves the corner across where it is, and the box some size", () => {
  assert.deepEqual(stretch([10, 20, 30, 40], [1, 1], 5, 10, SIZE), [10, 20, 35, 50]);
  assert.deepEqual(stretch([10, 20, 30, 40], [0, 0], 5, 10, SIZE), [15, 30, 25, 30]);
  assert.deepEqual(stretch([10, 20, 30, 40], [0, 1], 100, -100, SIZE), [36, 20, 4, 4]);
  assert.deepEqual(stretch([10, 20, 30, 40], [1, 0], 500, -500, SIZE), [10, 0, 190, 60]);
});

test("of boxes that lie in each other the smaller one is meant", () => {
  const cells = [{ id: 1, box: [0, 0, 100, 100] }, { id: 2, box: [40, 40, 20, 20] }];
  assert.equal(cellAt(cells, [50, 50]).id, 2);
  assert.equal(cellAt(cells, [10, 10]).id, 1);
  assert.equal(cellAt(cells, [150, 50]), null);
  assert.equal(cellAt(cells, [105, 50], 8).id, 1); // a finger is not exact
});

test("a corner is told by what lies near", () => {
  assert.deepEqual(cornerAt([10, 20, 30, 40], [42, 58], 4), [1, 1]);
  assert.equal(cornerAt([10, 20, 30, 40], [25, 40], 4), null);
});

test("many boxes are one path, and a new box has the usual size", () => {
  assert.equal(pathOf([1, 2, 3, 4, 5, 6, 7, 8]), "M1 2h3v4h-3zM5 6h7v8h-7z");
  assert.equal(usualSide([{ box: [0, 0, 9, 4] }, { box: [0, 0, 20, 20] }, { box: [0, 0, 10, 10] }], SIZE), 10);
  assert.equal(usualSide([], SIZE), 10);
});
