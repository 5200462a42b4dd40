import assert from "node:assert/strict";
import { test } from "node:test";
import { createCurrent, createSelection } from "../../blood_lib/dashboard/widgets/lib/selection.js";

/** A selection that keeps what it has told. */
function select() {
  const told = [];
  return { told, selection: createSelection(() => {}, (ids) => told.push(ids)) };
}

/** A model as anywidget gives it, and what was sent to Python. */
function createModel(current) {
  const values = { current };
  const sent = [];
  let heard;
  return {
    sent,
    get: (name) => values[name],
    on: (_name, handler) => (heard = handler),
    send: (message) => sent.push(message),
    /** Python says which cell is the current one. */
    say(id) {
      values.current = id;
      heard();
    },
  };
}

test("a cell is selected and left out again", () => {
  const { selection } = select();
  selection.toggle(1);
  selection.toggle(2);
  selection.toggle(1);
  assert.deepEqual([selection.all(), selection.size(), selection.has(2)], [[2], 1, true]);
  selection.clear();
  assert.equal(selection.size(), 0);
});

test("the cell that was clicked before belongs to the first selection, not to later ones", () => {
  const { selection } = select();
  selection.toggle(1, 7);
  selection.toggle(2, 8);
  assert.deepEqual(selection.all(), [7, 1, 2]);
  selection.clear();
});

test("a range goes from where it began to either side", () => {
  const { selection } = select();
  selection.begin(3);
  selection.extend(5, [1, 2, 3, 4, 5]);
  assert.deepEqual(selection.all(), [3, 4, 5]);
  selection.extend(1, [1, 2, 3, 4, 5]);
  assert.deepEqual(selection.all(), [1, 2, 3]);
  selection.clear();
});

test("a range whose beginning is gone begins anew", () => {
  const { selection } = select();
  selection.begin(9);
  selection.extend(2, [1, 2, 3]);
  assert.deepEqual(selection.all(), [2]);
  selection.clear();
});

test("Python is told once, of the last change, and at once where somebody cannot wait", async () => {
  const { told, selection } = select();
  selection.set([1]);
  selection.set([1, 2]);
  assert.deepEqual(told, []);
  selection.tellNow();
  assert.deepEqual(told, [[1, 2]]);
  selection.set([3]);
  await new Promise((done) => setTimeout(done, 200));
  assert.deepEqual(told, [[1, 2], [3]]);
});

test("what Python says is not told back", () => {
  const { told, selection } = select();
  selection.set([1]);
  selection.take([2]);
  selection.tellNow();
  assert.deepEqual([selection.all(), told], [[2], []]);
});

test("another cell is shown at once, and Python's answer to an earlier request changes nothing", () => {
  const model = createModel(1);
  const followed = [];
  const current = createCurrent(model, () => {}, (id) => followed.push(id));
  current.at(2);
  current.at(3);
  current.tellNow();
  assert.deepEqual(model.sent, [{ kind: "open", id: 3 }]);
  model.say(2);
  assert.equal(current.id(), 3);
  model.say(3);
  model.say(4);
  assert.deepEqual([current.id(), followed], [4, [3, 4]]);
});
