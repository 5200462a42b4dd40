import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOf } from "../../blood_lib/dashboard/widgets/lib/key_map.js";
import { groupKeys } from "../../blood_lib/dashboard/widgets/lib/menu.js";

const press = (key, more = {}) => requestOf({ key, ...more });

test("arrows go through the cells, with shift they move the picture", () => {
  assert.deepEqual(press("ArrowRight"), { what: "step", by: 1 });
  assert.equal(press("ArrowRight", { shiftKey: true }).what, "pan");
});

test("capital letters do what small ones do", () => {
  assert.deepEqual(press("C", { shiftKey: true }), press("c"));
});

test("undo and redo need Ctrl or Cmd, and nothing else takes them", () => {
  assert.equal(press("z", { ctrlKey: true }).what, "undo");
  assert.equal(press("Z", { metaKey: true, shiftKey: true }).what, "redo");
  assert.equal(press("y", { ctrlKey: true }).what, "redo");
  assert.equal(press("c", { ctrlKey: true }), undefined);
  assert.equal(press("c", { altKey: true }), undefined);
});

test("every other sign may be the key of a group, a named key is not", () => {
  assert.deepEqual(press("b"), { what: "group", key: "B" });
  assert.equal(press("F5"), undefined);
});

test("the key of no group means something else", () => {
  const groups = Array.from({ length: 28 }, (_, i) => i);
  const keys = groupKeys(groups);
  assert.equal(keys.length, 28);
  assert.deepEqual(keys.slice(-2), ["U", "X"]);
  const used = keys.filter(Boolean);
  assert.equal(new Set(used).size, used.length);
  for (const key of used) assert.deepEqual(press(key.toLowerCase()), { what: "group", key });
});
