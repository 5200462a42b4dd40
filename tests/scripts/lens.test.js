import assert from "node:assert/strict";
import { test } from "node:test";
import { createLens } from "../../blood_lib/dashboard/map/lens.js";

function open(kept = {}) {
  const lens = createLens(kept, () => {});
  lens.resize(400, 200);
  lens.reach([-10, -10, 10, 10]);
  return lens;
}

function near(actual, expected) {
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-9, `${actual} is not ${expected}`));
}

test("the whole map fits into the box, its middle in the middle and its top above", () => {
  const lens = open();
  near(lens.at(0, 0), [200, 100]);
  near(lens.at(0, 10), [200, 0]);
  near(lens.at(10, 0), [300, 100]);
});

test("what is under the pointer stays there when the map is zoomed", () => {
  const lens = open();
  lens.zoom(3, [250, 60]);
  near(lens.at(5, 4), [250, 60]);
  assert.equal(lens.unit(), 30);
});

test("it zooms no further out than the whole map, and no further in than sixty times", () => {
  const lens = open();
  lens.zoom(0.1);
  assert.equal(lens.unit(), 10);
  lens.zoom(1000);
  assert.equal(lens.unit(), 600);
});

test("a drag moves the map, but its middle never leaves the map", () => {
  const lens = open();
  lens.pan(10, 20);
  near(lens.at(0, 0), [210, 120]);
  lens.pan(1e6, 0);
  near(lens.at(-10, 2), [200, 100]);
});

test("a place out of sight is brought into it, one in sight moves nothing", () => {
  const lens = open();
  lens.zoom(4);
  const before = lens.at(0, 0);
  lens.bring(1, 1);
  near(lens.at(0, 0), before);
  lens.bring(9, 0);
  near(lens.at(9, 0), [352, 100]);
});

test("another map is seen whole, the same one as it was left", () => {
  const kept = {};
  open(kept).zoom(2);
  const lens = createLens(kept, () => {});
  lens.resize(400, 200);
  assert.equal(lens.reach([-10, -10, 10, 10]), false);
  assert.equal(lens.unit(), 20);
  assert.equal(lens.reach([0, 0, 5, 5]), true);
  near(lens.at(2.5, 2.5), [200, 100]);
});
