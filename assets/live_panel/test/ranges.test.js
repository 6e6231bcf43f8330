import assert from "node:assert/strict";
import { test } from "node:test";

import { newExtent, Ranges, widen, yRange } from "../ranges.js";

/** @import { YRule } from "../protocol.js" */

/** @type {YRule} */
const FREE = { range: null, cap: null, floor: null, include: [], follow: false };

/** @param {import("../ranges.js").Values[]} values */
function extentOf(...values) {
  const extent = newExtent();
  widen(extent, values, true);
  return extent;
}

test("a fixed range stays as it is", () => {
  assert.deepEqual(yRange({ ...FREE, range: [0, 1] }, extentOf(5), false), [0, 1]);
});

test("without a value there is no range, or the one before", () => {
  assert.equal(yRange(FREE, extentOf(null, "AB", undefined), false), null);
  assert.deepEqual(yRange(FREE, extentOf(), false, [1, 2]), [1, 2]);
  assert.equal(yRange(FREE, extentOf(0, -1), true), null); // nothing that a log axis can show
  assert.deepEqual(yRange(FREE, extentOf(0, -1), true, [-2, 0]), [-2, 0]);
});

test("a linear range has an eighth of room around the data, none at its floor, and some around a single value", () => {
  assert.deepEqual(yRange(FREE, extentOf(0, 100), false), [-12, 112]);
  assert.deepEqual(yRange({ ...FREE, floor: 0 }, extentOf(50, 100), false), [0, 112]);
  for (const value of [0, 3, -1e7, 1e30]) {
    const [low, high] = yRange(FREE, extentOf(value), false) ?? [];
    assert.ok(low !== undefined && high !== undefined && low < value && high > value, `${value}`);
  }
});

test("a linear range grows by a quarter, and never shrinks", () => {
  assert.deepEqual(yRange(FREE, extentOf(0, 100), false, [-50, 150]), [-50, 150]);
  assert.deepEqual(yRange(FREE, extentOf(0, 100), false, [0, 80]), [-25, 125]);
  assert.deepEqual(yRange(FREE, extentOf(0, 100), false, [-90, 80]), [-90, 125]);
});

test("a cap bounds the range by the first frame's largest value", () => {
  const extent = extentOf(2, -1);
  widen(extent, [1e9, -1e9], false);
  const [low, high] = yRange({ ...FREE, cap: 10 }, extent, false) ?? [];
  assert.deepEqual([low, high], [-20 - 0.12 * 40, 20 + 0.12 * 40]);
});

test("a log range is in whole exponents around what is above 0", () => {
  assert.deepEqual(yRange(FREE, extentOf(0.02, 30, 0, -5), true), [-2, 2]);
  assert.deepEqual(yRange(FREE, extentOf(1), true), [-1, 1]);
  assert.deepEqual(yRange(FREE, extentOf(0.02, 30), true, [-1, 3]), [-2, 3]);
});

test("a log range has at most twelve decades, up to 1e12", () => {
  const [low, high] = yRange(FREE, extentOf(1e-30, 1e30), true) ?? [];
  assert.deepEqual([low, high], [-1, 13]);
  assert.deepEqual(yRange(FREE, extentOf(1e20, 1e30), true), [11, 13]);
});

test("a range is the same array until it grows, one for each key", () => {
  const ranges = new Ranges();
  const first = ranges.grown("train", FREE, extentOf(0, 100), false);
  assert.equal(ranges.grown("train", FREE, extentOf(10, 90), false), first);
  assert.notEqual(ranges.grown("test", FREE, extentOf(10, 90), false), first);
  const log = ranges.grown("log", FREE, extentOf(0.02, 30), true);
  assert.equal(ranges.grown("log", FREE, extentOf(0.03, 20), true), log);
  const second = ranges.grown("train", FREE, extentOf(0, 200), false);
  assert.notEqual(second, first);
  ranges.clear();
  assert.deepEqual(ranges.grown("train", FREE, extentOf(0, 100), false), first);
});

test("a following range stays while the data fit and fill half of it", () => {
  const ranges = new Ranges();
  const follow = (/** @type {number[]} */ ...values) => ranges.following("", FREE, extentOf(...values), false);
  const far = follow(0, 1000);
  const near = follow(0, 2);
  assert.notEqual(near, far);
  assert.equal(follow(0, 2.1), near);
  assert.equal(follow(0.3, 1.9), near);
  assert.notEqual(follow(0, 0.9), near);
  assert.deepEqual(ranges.following("", FREE, extentOf(), false), follow(0, 0.9)); // nothing to show: as before
  assert.equal(new Ranges().following("", FREE, extentOf(), false), null);
});
