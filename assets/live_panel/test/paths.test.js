import assert from "node:assert/strict";
import { test } from "node:test";

import { Cells } from "../cells.js";
import { bandPieces, flagPieces, linePieces, pointPieces, rangePieces, ridgePieces, runs, toArrays, toPath, toPixels } from "../paths.js";

/** @type {import("../plotly_internals.js").Scales} */
const PLAIN = [(x) => x, (y) => y];
const X = [0, 1, 2, 3];

test("a line is parted where a value is missing", () => {
  assert.deepEqual(linePieces(X, [5, null, 6, 7], 4), [{ x: [0], y: [5] }, { x: [2, 3], y: [6, 7] }]);
  assert.deepEqual(linePieces([0, null, 2, 3], [5, 6, 7, 8], 4), [{ x: [0], y: [5] }, { x: [2, 3], y: [7, 8] }]);
  assert.deepEqual(linePieces(X, [null, null, null, null], 4), []);
  assert.deepEqual(linePieces([], [], 0), []);
});

test("a line ends at the frame shown", () => {
  assert.deepEqual(linePieces(X, [5, 6, 7, 8], 2), [{ x: [0, 1], y: [5, 6] }]);
});

test("0 is a value", () => {
  assert.deepEqual(linePieces(X, [0, 0, 0, 0], 4), [{ x: X, y: [0, 0, 0, 0] }]);
});

test("a lone point becomes a dash where it is asked for", () => {
  assert.deepEqual(linePieces([1], [5], 1, (x) => [x - 0.5, x + 0.5]), [{ x: [0.5, 1.5], y: [5, 5] }]);
  assert.deepEqual(linePieces([1], [5], 1, null), [{ x: [1], y: [5] }]);
});

test("a long line is thinned to what a chart can show; its first and last points stay", () => {
  const count = 5000;
  const x = Array.from({ length: count }, (_, i) => i);
  const [piece] = linePieces(x, x, count);
  assert.ok(piece.x.length <= 701 && piece.x.length > 500);
  assert.deepEqual([piece.x[0], piece.x.at(-1)], [0, count - 1]);
  const steps = piece.x.slice(1, -1).map((at, i) => at - piece.x[i]);
  assert.deepEqual([...new Set(steps)], [8]);
});

test("a band goes along its low edge and back along its high one, where both are known", () => {
  assert.deepEqual(bandPieces(X, [1, 2, null, 3], [5, 6, 7, 8], 4), [
    { x: [0, 1, 1, 0], y: [1, 2, 6, 5] },
    { x: [3, 3], y: [3, 8] },
  ]);
});

test("runs hold every column", () => {
  assert.deepEqual(runs([0, 1], [[1, 2], [3, 4]], 2), [{ x: [0, 1], columns: [[1, 2], [3, 4]] }]);
});

test("a range is a closed box and a tick at its median; one that lacks an edge is left out", () => {
  assert.deepEqual(rangePieces([1, 2], [[10, null], [15, 1], [20, 2]], 2, 0.5, 1), [
    { x: [1, 1, 2, 2, 1], y: [10, 20, 20, 10, 10] },
    { x: [1, 2], y: [15, 15] },
  ]);
});

test("points and flags stand where there is a value, and one above 0", () => {
  assert.deepEqual(pointPieces([1, 2, 3], [5, null, 0], 3, 0.25), [{ x: [1.25], y: [5] }, { x: [3.25], y: [0] }]);
  assert.deepEqual(flagPieces([1, 2, 3, 4], [0, 2, null, 1], 4, 0.97), [{ x: [2], y: [0.97] }, { x: [4], y: [0.97] }]);
  assert.deepEqual(flagPieces([1, 2], [], 0, 0.97), []);
});

test("a ridge rises by its levels over the middles of the bins, and touches its baseline beside them", () => {
  const cells = new Cells({ alphabet: "ABCDE", not_measured: ".", diverged: "!", diverged_color: "" });
  const [first, second, flat] = ridgePieces(["ABEA", "EAAE", "AAAA"], cells, 0.8, [0, 8]);
  assert.deepEqual(first.x, [0, 1, 3, 5, 7, 8]);
  assert.deepEqual(first.y.map((y) => Math.round(100 * y)), [0, 0, 20, 80, 0, 0]);
  assert.deepEqual(second.y.map((y) => Math.round(100 * y)), [100, 180, 100, 100, 180, 100]);
  assert.deepEqual(flat, { x: [0, 8], y: [2, 2] }); // only where something is near
  assert.deepEqual(ridgePieces([], cells, 0.8, [0, 8]), []);
});

test("arrays for Plotly have a gap between pieces", () => {
  assert.deepEqual(toArrays([{ x: [1, 2], y: [3, 4] }, { x: [5], y: [6] }]), { x: [1, 2, null, 5], y: [3, 4, null, 6] });
  assert.deepEqual(toArrays([]), { x: [], y: [] });
});

test("a path has a piece for each, to a tenth of a pixel, closed for areas", () => {
  const pieces = [{ x: [0, 1.26], y: [2, 3] }, { x: [4, 5], y: [6, 7] }];
  assert.equal(toPath(pieces, PLAIN, false), "M0,2L1.3,3M4,6L5,7");
  assert.equal(toPath(pieces, PLAIN, true), "M0,2L1.3,3ZM4,6L5,7Z");
  assert.equal(toPath([], PLAIN, true), "");
});

test("what a log axis cannot show parts a line, and is left out of an area", () => {
  /** @type {import("../plotly_internals.js").Scales} */
  const log = [(x) => x, (y) => Math.log10(y)];
  const piece = [{ x: [0, 1, 2, 3], y: [1, 0, 10, 100] }];
  assert.equal(toPath(piece, log, false), "M0,0M2,1L3,2");
  assert.equal(toPath(piece, log, true), "M0,0L2,1L3,2Z");
  assert.deepEqual(toPixels(piece, log), [[0, 0], [2, 1], [3, 2]]);
  assert.equal(toPath([{ x: [0], y: [-1] }], log, true), "");
});

test("pixels far outside the plot are pulled near: browsers draw no path beyond", () => {
  assert.equal(toPath([{ x: [0, 1], y: [1e9, -1e9] }], PLAIN, false), "M0,5000L1,-5000");
});
