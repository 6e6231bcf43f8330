import assert from "node:assert/strict";
import { test } from "node:test";

import { isLogOf, layoutOf, viewKeyOf, yTitleOf } from "../layout.js";
import { chart } from "./samples.js";

/** @import { Chart, Selector } from "../protocol.js" */

const THEME = { text: "#111111", grid: "#eeeeee", font: "serif", still: false, coarse: false };
const PLACE = { width: 400, height: 200, font: 14, room: 5 };

/** @type {(name: string, value: string, role?: "view" | "scale") => Selector} */
const selector = (name, value, role = "view") => ({ name, label: name, options: [[value, value]], value, role });

/**
 * @param {Partial<Chart>} given
 * @param {import("../ranges.js").Range | null} range
 */
const laidOut = (given = {}, range = null) => layoutOf(chart(given), "made", range, THEME, PLACE);

test("a view is named by its selectors, without that of the scale", () => {
  assert.equal(viewKeyOf(chart()), "");
  const selectors = [selector("tensor", "pre_norm"), selector("scale", "log", "scale"), selector("layer", "3")];
  assert.equal(viewKeyOf(chart({ selectors })), "pre_norm/3");
});

test("the axis is that of the scale chosen, or of the figure", () => {
  const spec = chart();
  assert.ok(!isLogOf(spec));
  spec.figure.layout.yaxis.type = "log";
  assert.ok(isLogOf(spec));
  assert.ok(!isLogOf({ ...spec, selectors: [selector("scale", "linear", "scale")] }));
});

test("titles are those of the view, or of the figure", () => {
  const given = { selectors: [selector("tensor", "weights")], titles: { weights: { x: "layer", y: "norm" } } };
  assert.equal(yTitleOf(chart(given)), "norm");
  assert.equal(yTitleOf(chart()), "loss");
  assert.equal(laidOut(given).xaxis.title?.text, "layer");
  assert.equal(laidOut().xaxis.title?.text, "step");
  assert.equal(laidOut().yaxis.title?.text, ""); // the card shows it
});

test("the skeleton stays as it came", () => {
  const spec = chart();
  const before = structuredClone(spec);
  layoutOf(spec, "made", [0, 1], THEME, PLACE);
  assert.deepEqual(spec, before);
});

test("theme, size and room are the page's", () => {
  const layout = laidOut();
  assert.deepEqual(layout.font, { color: "#111111", family: "serif", size: 14 });
  assert.deepEqual([layout.width, layout.height, layout.margin], [400, 200, { l: 45, r: 10, t: 25, b: 35 }]);
  assert.equal(layout.xaxis.gridcolor, "#eeeeee");
  assert.equal(layout.dragmode, undefined);
  assert.equal(layoutOf(chart(), "made", null, { ...THEME, coarse: true }, PLACE).dragmode, false);
  assert.equal(layoutOf(chart(), "made", null, THEME, { ...PLACE, width: 0 }).width, undefined);
});

test("a range is copied: Plotly changes what it is given", () => {
  /** @type {import("../ranges.js").Range} */
  const range = [0, 1];
  assert.deepEqual(laidOut({}, range).yaxis.range, range);
  assert.notEqual(laidOut({}, range).yaxis.range, range);
  assert.equal(laidOut({}, null).yaxis.range, undefined);
});

test("a log axis has at most six labels, powers, and keeps zooms of its own", () => {
  const log = { selectors: [selector("scale", "log", "scale")] };
  const { yaxis } = laidOut(log, [-6, 6]);
  assert.deepEqual([yaxis.type, yaxis.dtick, yaxis.exponentformat, yaxis.tickfont], ["log", 2, "power", { size: 12 }]);
  assert.equal(laidOut(log, [-1, 1]).yaxis.dtick, 1);
  assert.notEqual(laidOut().yaxis.uirevision, yaxis.uirevision);
  assert.equal(laidOut().yaxis.dtick, undefined);
});
