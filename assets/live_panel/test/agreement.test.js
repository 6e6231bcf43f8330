import assert from "node:assert/strict";
import { test } from "node:test";

import { samePath, samePlaces, vertices } from "../agreement.js";

/** @type {[number, number]} */
const SIZE = [100, 50];

test("a path's vertices are those of all its pieces, in their order", () => {
  assert.deepEqual(vertices("M1,2L3,4M5.5,-6L7,8Z", SIZE), [[1, 2], [3, 4], [5.5, -6], [7, 8]]);
});

test("a piece of a single point, which Plotly leaves out, has none", () => {
  assert.deepEqual(vertices("M1,2M3,4L5,6", SIZE), [[3, 4], [5, 6]]);
  assert.deepEqual(vertices("", SIZE), []);
});

test("vertices are left out from one size beyond the plot on", () => {
  assert.deepEqual(vertices("M-100,-50L200,100L201,0L0,101L-101,0", SIZE), [[-100, -50], [200, 100]]);
});

test("places agree within two pixels, in number and order", () => {
  assert.ok(samePlaces([[1, 1], [5, 5]], [[3, 1], [5, 3]]));
  assert.ok(!samePlaces([[1, 1]], [[3.1, 1]]));
  assert.ok(!samePlaces([[1, 1]], [[1, 3.1]]));
  assert.ok(!samePlaces([[1, 1], [5, 5]], [[5, 5], [1, 1]]));
  assert.ok(!samePlaces([[1, 1]], []));
  assert.ok(samePlaces([], []));
});

test("paths agree by what can be seen of them", () => {
  assert.ok(samePath("M1,1L9,9L5000,3", "M1,2L9,8L4000,3", SIZE));
  assert.ok(!samePath("M1,1L9,9", "M1,1L9,9L20,20", SIZE));
});
