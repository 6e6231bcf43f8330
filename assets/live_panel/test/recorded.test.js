// Events as Python has written them go through the store and everything that draws, but for Plotly. Python's tests write the file
// and name it: tests/panels/test_events.py.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { layoutOf } from "../layout.js";
import { isImage, piecesOf } from "../marks.js";
import { toArrays, toPath, toPixels } from "../paths.js";
import { Ranges, yRange } from "../ranges.js";
import { Store } from "../store.js";
import { Pace, statusWords } from "../words.js";

/** @import { Chart, End, Frame, Mark, Start } from "../protocol.js" */
/** @import { View } from "../store.js" */

/** @typedef {{ event: "panel", data: Start } | { event: "frame", data: Frame } | { event: "finished" | "stopped" | "failed", data: End }} Sent */

const FILE = process.env.BNVIZ_EVENTS;
const THEME = { text: "#000000", grid: "#cccccc", font: "serif", still: false, coarse: false };
const PLACE = { width: 400, height: 200, font: 12, room: 0 };
/** @type {Record<string, Sent[]>} */
const recorded = FILE ? JSON.parse(readFileSync(FILE, "utf-8")) : {};

for (const [name, events] of Object.entries(recorded)) test(`${name} can be drawn, frame by frame`, () => replay(events));
test("the recorded events are there", { skip: FILE ? false : "Python's tests name them" }, () => assert.ok(Object.keys(recorded).length));

/** @param {Sent[]} events */
function replay(events) {
  const [first, ...rest] = events;
  assert.equal(first.event, "panel");
  const store = new Store(/** @type {Start} */ (first.data));
  for (const { event, data } of rest) {
    if (event === "frame") {
      assert.equal(store.add(data), "new");
      for (const spec of store.start.charts) draw(store, spec, store.last);
    } else if (event !== "panel") assert.match(statusWords(data.state, data, store, new Pace(), false), /^(Finished|Stopped at|The run failed)/);
  }
  assert.ok(store.frames.length);
  for (const k of [0, Math.floor(store.last / 2)]) for (const spec of store.start.charts) draw(store, spec, k); // scrubbed back
}

/** @type {(store: Store, spec: Chart, k: number) => void} */
function draw(store, spec, k) {
  for (const key of Object.keys(store.frames[k].charts[spec.id])) {
    const view = store.view(spec, key);
    for (const mark of spec.marks) isImage(mark) ? paint(store, spec, mark, view, k) : trace(store, spec, mark, view, k);
    for (const isLog of [false, true]) span(store, spec, view, k, isLog);
  }
}

/** @type {(store: Store, spec: Chart, mark: Mark, view: View, k: number) => void} */
function trace(store, spec, mark, view, k) {
  const pieces = piecesOf(spec, store, mark, k, view);
  const { x, y } = toArrays(pieces);
  assert.equal(x.length, y.length);
  assert.ok([...x, ...y].every((value) => value === null || Number.isFinite(value)));
  /** @type {import("../plotly_internals.js").Scales} */
  const scales = [(value) => value, (value) => Math.log10(value)];
  assert.ok(!/NaN|Infinity|undefined/.test(toPath(pieces, scales, mark.mark !== "line")));
  assert.ok(toPixels(pieces, scales).flat().every(Number.isFinite));
  if (spec.kind === "append" && mark.mark === "line" && k < 700) {
    const sent = store.frames.slice(0, k + 1).map((frame) => /** @type {any} */ (frame.charts[spec.id])[keyOf(store, spec, view)][mark.series]?.[mark.columns[0]]);
    const known = new Set(sent.filter((value) => typeof value === "number"));
    assert.deepEqual(new Set(y.filter((value) => value !== null)), known);
  }
}

/** @type {(store: Store, spec: Chart, view: View) => string} */
function keyOf(store, spec, view) {
  const found = [...store.views].find(([, each]) => each === view);
  assert.ok(found);
  return found[0].slice(spec.id.length + 1);
}

/** @type {(store: Store, spec: Chart, mark: Mark, view: View, k: number) => void} */
function paint(store, spec, mark, view, k) {
  const packed = spec.kind === "append" ? view.series[mark.series]?.[mark.columns[0]]?.[k] : view.frames[k]?.[mark.series];
  if (packed === undefined || packed === null) return;
  assert.equal(typeof packed, "string");
  for (const cell of String(packed)) {
    if (cell !== store.cells.notMeasured) assert.match(store.cells.color(cell, spec.palette), /^#[0-9a-f]{6}$/i);
  }
}

/** @type {(store: Store, spec: Chart, view: View, k: number, isLog: boolean) => void} */
function span(store, spec, view, k, isLog) {
  const extent = spec.y.follow ? store.extentAt(spec, view, k) : view.extent;
  const range = yRange(spec.y, extent, isLog);
  if (range) assert.ok(range.every(Number.isFinite) && range[0] < range[1]);
  const again = new Ranges().grown("", spec.y, extent, isLog);
  const layout = layoutOf(spec, store.start.run_id, again, THEME, PLACE);
  assert.deepEqual(layout.yaxis.range, again ? [...again] : spec.figure.layout.yaxis.range);
  assert.ok(!/NaN|undefined/.test(JSON.stringify(layout)));
}
