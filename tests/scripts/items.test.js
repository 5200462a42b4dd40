import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING, createItems, passes, passesRejected } from "../../blood_lib/dashboard/gallery/items.js";

const cell = (id, status = "ok", reviewed = false) => [id, `${id}.png`, 0, 0, status, 0.9, reviewed, false];
const message = (items, more, rejected = []) => ({ items, more, rejected, gone: [] });

test("while results come in, each batch goes behind the ones before it; at the end all are equal", () => {
  const items = createItems();
  items.add(message([cell(1)], true));
  items.add(message([cell(2), cell(1, "uncertain")], true));
  assert.deepEqual(items.all().map(({ id, batch }) => [id, batch]), [[1, 1], [2, 2]]);
  assert.equal(items.get(1).status, "uncertain");
  items.add(message([], false, [["a.txt", "no image"]]));
  assert.deepEqual(items.all().map(({ batch }) => batch), [0, 0]);
  assert.equal(items.rejected().length, 1);
});

test("a reviewed cell is no longer doubtful, and each filter narrows what is shown", () => {
  const doubtful = { status: "uncertain", group: 0, decided: "no", proposed: false };
  assert.ok(passes(EVERYTHING, doubtful, ""));
  assert.ok(passes({ ...EVERYTHING, review: "doubtful" }, doubtful, ""));
  assert.ok(!passes({ ...EVERYTHING, review: "doubtful" }, { ...doubtful, decided: "person" }, "confirmed"));
  assert.ok(!passes({ ...EVERYTHING, group: "1" }, doubtful, ""));
  assert.ok(!passes({ ...EVERYTHING, status: "ok" }, doubtful, ""));
});

test("a cell that is gone is not shown again", () => {
  const items = createItems();
  items.add(message([cell(1)], false));
  items.add({ ...message([], false), gone: [1] });
  assert.deepEqual(items.all(), []);
});

test("rejected files have no group and no review, so such a filter hides them", () => {
  assert.ok(passesRejected({ ...EVERYTHING, status: "rejected" }));
  assert.ok(!passesRejected({ ...EVERYTHING, group: "0" }));
  assert.ok(!passesRejected({ ...EVERYTHING, review: "open" }));
});
