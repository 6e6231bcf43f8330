import assert from "node:assert/strict";
import { test } from "node:test";

import { hasNoPath, hasPoints, isImage, piecesOf } from "../marks.js";
import { Store } from "../store.js";
import { chart, frame, mark, start } from "./samples.js";

/** @import { Chart, Mark, Series } from "../protocol.js" */

/**
 * What a mark draws of the last of these frames, or of frame k.
 *
 * @param {Chart} spec
 * @param {Partial<Mark>} given
 * @param {Series[][]} frames
 * @param {number} k
 */
function drawn(spec, given, frames, k = frames.length - 1) {
  const store = new Store(start());
  frames.forEach((series, index) => store.add(frame(index, series)));
  return piecesOf(spec, store, mark(given), k, store.view(spec, ""));
}

test("an append chart's line goes over the steps up to the frame shown", () => {
  const frames = [[[1]], [[2]], [[3]]];
  assert.deepEqual(drawn(chart(), {}, frames), [{ x: [0, 10, 20], y: [1, 2, 3] }]);
  assert.deepEqual(drawn(chart(), {}, frames, 1), [{ x: [0, 10], y: [1, 2] }]);
});

test("a mark draws its own columns of its own series, and nothing of one that is not there", () => {
  const frames = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]];
  assert.deepEqual(drawn(chart(), { series: 1, columns: [1] }, frames), [{ x: [0, 10], y: [4, 8] }]);
  assert.deepEqual(drawn(chart(), { series: 2 }, frames), []);
  assert.deepEqual(drawn(chart(), { columns: [7] }, frames), []);
  assert.deepEqual(drawn(chart(), {}, []), []);
});

test("a replace chart has the chart's x, or a column's, and only the frame shown", () => {
  const spec = chart({ kind: "replace", x: [1, 2, 3] });
  const frames = [[[[9, 9, 9]]], [[[4, 5, 6], [10, 20, 30]]]];
  assert.deepEqual(drawn(spec, {}, frames), [{ x: [1, 2, 3], y: [4, 5, 6] }]);
  assert.deepEqual(drawn(spec, { x: 1 }, frames), [{ x: [10, 20, 30], y: [4, 5, 6] }]);
  assert.deepEqual(drawn(spec, {}, frames, 0), [{ x: [1, 2, 3], y: [9, 9, 9] }]);
  assert.deepEqual(drawn(spec, {}, frames, 5), []);
});

test("a series longer than its x, or shorter, is drawn as far as both go", () => {
  const spec = chart({ kind: "replace", x: [1, 2] });
  assert.deepEqual(drawn(spec, {}, [[[[4, 5, 6]]]]), [{ x: [1, 2], y: [4, 5] }]);
  assert.deepEqual(drawn(chart({ kind: "replace", x: [1, 2, 3] }), {}, [[[[4, 5]]]]), [{ x: [1, 2], y: [4, 5] }]);
});

test("every kind of mark has its shape", () => {
  const spec = chart({ kind: "replace", x: [1, 2] });
  const series = [[[[1, 1], [2, 2], [3, 3]]]];
  assert.deepEqual(drawn(spec, { mark: "band", columns: [0, 2] }, series), [{ x: [1, 2, 2, 1], y: [1, 1, 3, 3] }]);
  assert.equal(drawn(spec, { mark: "range", columns: [0, 1, 2], width: 1 }, series).length, 4);
  assert.deepEqual(drawn(spec, { mark: "points", columns: [1], offset: 0.5 }, series), [{ x: [1.5], y: [2] }, { x: [2.5], y: [2] }]);
  assert.deepEqual(drawn(spec, { mark: "flag", columns: [1], offset: 0.9 }, series), [{ x: [1], y: [0.9] }, { x: [2], y: [0.9] }]);
  assert.deepEqual(drawn(spec, { mark: "ridge", columns: [], height: 1 }, [[["AD"]]]).map((piece) => piece.y), [[0, 0, 1, 0]]);
});

test("a lone point is a dash, shorter for the steps of a run; on a log axis by a factor; with markers it stays a point", () => {
  assert.deepEqual(drawn(chart(), {}, [[[1]]]), [{ x: [-0.06, 0.06], y: [1, 1] }]);
  const spec = chart({ kind: "replace", x: [1] });
  assert.deepEqual(drawn(spec, {}, [[[[4]]]]), [{ x: [0.75, 1.25], y: [4, 4] }]);
  spec.figure.layout.xaxis = { type: "log", range: [0, 2] };
  const [{ x }] = drawn(spec, {}, [[[[4]]]]);
  assert.ok(Math.abs(x[0] * x[1] - 1) < 1e-12 && x[1] > 1);
  spec.figure.data[0].mode = "lines+markers";
  assert.deepEqual(drawn(spec, {}, [[[[4]]]]), [{ x: [1], y: [4] }]);
});

test("marks are told apart by what Plotly draws of them", () => {
  const spec = chart();
  spec.figure.data = [{ uid: "a", mode: "markers" }, { uid: "b", mode: "lines" }];
  assert.deepEqual([0, 1, 2].map((trace) => hasPoints(spec, mark({ trace }))), [true, false, false]);
  assert.deepEqual([mark({ mark: "image" }), mark({ mark: "columns" }), mark()].map(isImage), [true, true, false]);
  assert.deepEqual([mark({ mark: "flag" }), mark({ mark: "points" }), mark({ mark: "range" })].map(hasNoPath), [true, true, false]);
});
