import assert from "node:assert/strict";
import { test } from "node:test";
import { createWords } from "../../blood_lib/dashboard/widgets/lib/words.js";

const english = createWords({ done: "{n} cells", "done.one": "one cell", rest: "{n} left" }, "en");
const spanish = createWords({}, "es");

test("numbers are written as the language has them", () => {
  assert.equal(english.number(12345.678, 1), "12,345.7");
  assert.equal(spanish.number(12345.678, 1), "12.345,7");
});

test("gaps are filled, numbers with separators, and unknown gaps stay", () => {
  assert.equal(english.fill("{n} of {total} in {file}", { n: 1000, file: "a.png" }), "1,000 of {total} in a.png");
  assert.equal(english.fill(undefined), "");
});

test("what fills a gap is not filled itself", () => {
  assert.equal(english.fill("{name}: {n}", { name: "{n}", n: 2 }), "{n}: 2");
});

test("one has its own sentence where there is one", () => {
  assert.deepEqual([english.count("done", 1), english.count("done", 2000), english.count("rest", 1)], ["one cell", "2,000 cells", "1 left"]);
});

test("a probability is never 0 or 100 % unless it is", () => {
  const written = [0, 0.001, 0.5, 0.996, 1].map((p) => english.percent(p));
  assert.deepEqual(written, ["0 %", "< 1 %", "50 %", "> 99 %", "100 %"]);
  assert.equal(english.percent(0.9999, 1), "> 99.9 %");
  assert.equal(spanish.percent(0.1234, 1), "12,3 %");
});
