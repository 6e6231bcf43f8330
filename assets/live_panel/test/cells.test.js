import assert from "node:assert/strict";
import { test } from "node:test";

import { Cells } from "../cells.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const cells = new Cells({ alphabet: ALPHABET, not_measured: ".", diverged: "!", diverged_color: "pink" });

test("a character stands for its place in the alphabet", () => {
  assert.equal(cells.top, 63);
  const levels = Array.from(ALPHABET, (_, place) => cells.level(ALPHABET, place));
  assert.deepEqual(levels, Array.from({ length: 64 }, (_, index) => index));
});

test("a cell has the colour of its index, begun anew where a palette ends, and a diverged one its own", () => {
  assert.equal(cells.color("B", ["red", "green", "blue"]), "green");
  assert.equal(cells.color("E", ["red", "green", "blue"]), "green");
  assert.equal(cells.color("!", ["red", "green", "blue"]), "pink");
});
