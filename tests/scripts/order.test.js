import assert from "node:assert/strict";
import { test } from "node:test";
import { createOrder } from "../../blood_lib/dashboard/gallery/order.js";

const compare = createOrder(["sure", "unsure", "strange"]);
const sorted = (items) => items.map((item, id) => ({ batch: 0, confidence: 0.5, id, ...item })).sort(compare).map(({ id }) => id);

test("the most doubtful stands first, then the least certain, then the one that came first", () => {
  assert.deepEqual(sorted([{ status: "sure" }, { status: "strange" }, { status: "unsure" }]), [1, 2, 0]);
  assert.deepEqual(sorted([{ status: "sure", confidence: 0.9 }, { status: "sure" }, { status: "sure" }]), [1, 2, 0]);
});

test("what came later stands behind, however doubtful it is", () => {
  assert.deepEqual(sorted([{ status: "strange", batch: 2 }, { status: "sure", batch: 1 }]), [1, 0]);
});
