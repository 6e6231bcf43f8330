import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../store.js";
import { chart, frame, mark, start } from "./samples.js";

/** @param {import("../protocol.js").Frame[]} frames */
function filled(...frames) {
  const store = new Store(start());
  for (const each of frames) assert.equal(store.add(each), "new");
  return store;
}

test("frames are taken in their order, each once", () => {
  const store = new Store(start());
  assert.equal(store.last, -1);
  assert.equal(store.add(frame(1)), "gap");
  assert.equal(store.add(frame(0)), "new");
  assert.equal(store.add(frame(0)), "old");
  assert.equal(store.add(frame(2)), "gap");
  assert.equal(store.add(frame(1)), "new");
  assert.equal(store.add(frame(0)), "old");
  assert.deepEqual([store.last, store.steps, store.frames.map((each) => each.frame)], [1, [0, 10], [0, 1]]);
});

test("a frame that came twice says nothing twice", () => {
  const store = filled(frame(0, [[1]], { text: { verdict: "first" } }));
  store.add(frame(0, [[9]], { text: { verdict: "second" } }));
  assert.equal(store.text("verdict", 0), "first");
  assert.deepEqual(store.view(chart(), "").series, [[[1]]]);
});

test("a sentence stands until it changes, and may be taken back", () => {
  const store = filled(frame(0), frame(1, [], { text: { verdict: "A leads." } }), frame(2), frame(3, [], { text: { verdict: "" } }));
  assert.deepEqual([0, 1, 2, 3, 99, -1].map((k) => store.text("verdict", k)), ["", "A leads.", "A leads.", "", "", ""]);
  assert.equal(store.text("nothing", 2), "");
});

test("an append chart grows by a value a column and frame", () => {
  const store = filled(frame(0, [[1, 2], [3, null]]), frame(1, [[4, 5], [6, 7]]));
  assert.deepEqual(store.view(chart(), "").series, [[[1, 4], [2, 5]], [[3, 6], [null, 7]]]);
});

test("a series that comes late has gaps before, and one that pauses in between", () => {
  const store = filled(frame(0), frame(1, [[1]]), frame(2), frame(3, [[2]]));
  assert.deepEqual(store.view(chart(), "").series, [[[null, 1, null, 2]]]);
});

test("a view is brought up to the last frame, however often it is asked for", () => {
  const store = filled(frame(0, [[1]]));
  assert.deepEqual(store.view(chart(), "").series, [[[1]]]);
  store.add(frame(1, [[2]]));
  store.add(frame(2, [[3]]));
  assert.deepEqual(store.view(chart(), "").series, [[[1, 2, 3]]]);
  assert.deepEqual(store.view(chart(), "").series, [[[1, 2, 3]]]);
});

test("views and charts are kept apart", () => {
  const store = filled(frame(0, [], { charts: { loss: { train: [[1]], test: [[2]] }, other: { train: [[3]] } } }));
  assert.deepEqual(store.view(chart(), "train").series, [[[1]]]);
  assert.deepEqual(store.view(chart(), "test").series, [[[2]]]);
  assert.deepEqual(store.view(chart({ id: "other" }), "train").series, [[[3]]]);
  assert.deepEqual(store.view(chart({ id: "none" }), "train").series, []);
});

test("a replace chart keeps the series of every frame", () => {
  const store = filled(frame(0, [[[1, 2]]]), frame(1), frame(2, [[[3, 4]]]));
  assert.deepEqual(store.view(chart({ kind: "replace" }), "").frames, [[[[1, 2]]], [], [[[3, 4]]]]);
});

test("extents know the lowest, the highest, the lowest above 0 and the first frame's largest", () => {
  const store = filled(frame(0, [[-3]]), frame(1, [[null]]), frame(2, [[0.5]]), frame(3, [[8]]));
  assert.deepEqual(store.view(chart(), "").extent, { low: -3, high: 8, lowPositive: 0.5, firstHigh: 3 });
  const first = filled(frame(0)).view(chart(), "").extent;
  assert.deepEqual(first, { low: Infinity, high: -Infinity, lowPositive: Infinity, firstHigh: 0 });
});

test("extents leave out columns of x, and those on an axis of their own", () => {
  const [y, sign] = [mark({ columns: [1], x: 0 }), mark({ mark: "flag", trace: 1, columns: [2] })];
  const spec = chart({ marks: [y, sign] });
  spec.figure.data[1].yaxis = "y2";
  const { low, high } = filled(frame(0, [[1000, 5, 77]])).view(spec, "").extent;
  assert.deepEqual([low, high], [5, 5]);
});

test("the extent of a replace chart's frame is that frame's alone", () => {
  const spec = chart({ kind: "replace", y: { range: null, cap: null, floor: null, include: [2], follow: true } });
  const store = filled(frame(0, [[[1, 90]]]), frame(1, [[[3, 4]]]));
  const { low, high } = store.extentAt(spec, store.view(spec, ""), 1);
  assert.deepEqual([low, high], [2, 4]);
});

test("a chart is blank until it has a value, a replace chart frame by frame", () => {
  const store = filled(frame(0, [[null]]), frame(1, [[0]]));
  assert.ok(filled(frame(0, [[null]])).isBlank(chart(), "", 0));
  assert.ok(!store.isBlank(chart(), "", 1));
  const replacing = filled(frame(0, [[[null, null]], ""]), frame(1, [[[0]]]), frame(2, ["AB"]));
  assert.deepEqual([0, 1, 2, 3].map((k) => replacing.isBlank(chart({ kind: "replace" }), "", k)), [true, false, false, true]);
});
