import assert from "node:assert/strict";
import { test } from "node:test";
import { boxOf, cardsNear, fitCards, gridHeight } from "../../blood_lib/dashboard/gallery/layout.js";

const WIDTHS = [200, 375, 480, 1000, 1537];

test("side by side the cards fill the width, and none is smaller than it may be", () => {
  for (const width of WIDTHS) {
    const layout = fitCards(width, false);
    assert.ok(Math.abs(boxOf(layout, layout.columns - 1).right - width) < 1e-9);
    assert.ok(layout.width >= 95);
  }
});

test("in a list each card has a row, which is higher where its words need two lines", () => {
  for (const width of WIDTHS) {
    const layout = fitCards(width, true);
    assert.equal(layout.columns, 1);
    assert.ok(boxOf(layout, 1).top > boxOf(layout, 0).bottom);
  }
  assert.ok(fitCards(375, true).height > fitCards(1000, true).height);
});

test("the grid ends where its last card does, and is nothing without cards", () => {
  for (const asList of [false, true]) {
    const layout = fitCards(1000, asList);
    assert.equal(gridHeight(layout, 23), boxOf(layout, 22).bottom);
    assert.equal(gridHeight(layout, 0), 0);
  }
});

test("no two cards overlap", () => {
  const layout = fitCards(500, false);
  const boxes = Array.from({ length: 12 }, (_, i) => boxOf(layout, i));
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1)) assert.ok(a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top);
  }
});

test("every card on the screen is near it, and thousands far from it are not", () => {
  const layout = fitCards(1000, false);
  const [top, screen] = [-30000, 800];
  const [first, last] = cardsNear(layout, top, screen);
  for (let i = 0; i < 5000; i += 1) {
    const box = boxOf(layout, i);
    if (top + box.bottom > 0 && top + box.top < screen) assert.ok(first <= i && i < last);
  }
  assert.ok(last - first < 200);
});

test("a grid far above the screen has none near it", () => {
  const [first, last] = cardsNear(fitCards(1000, false), 5000, 800);
  assert.equal(first, last);
});
