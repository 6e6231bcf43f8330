import assert from "node:assert/strict";
import { test } from "node:test";

import { fitTicks } from "../ticks.js";

/** @import { SizedLayout } from "../ticks.js" */

/**
 * @param {string[]} texts
 * @param {Partial<SizedLayout>} given
 * @returns {SizedLayout}
 */
function layout(texts, given = {}) {
  const xaxis = { ticktext: texts, tickvals: texts.map((_, index) => index) };
  return { width: 500, font: { size: 12 }, margin: { l: 50, r: 50, t: 10, b: 30 }, xaxis, yaxis: {}, ...given };
}

const numbers = (/** @type {number} */ count) => Array.from({ length: count }, (_, index) => `${1000 + index}`);

test("texts that fit stay as they are", () => {
  const given = layout(["1", "2", "3"]);
  fitTicks(given);
  assert.deepEqual([given.xaxis.ticktext, given.xaxis.tickvals, given.xaxis.tickfont], [["1", "2", "3"], [0, 1, 2], { size: 12 }]);
  assert.equal(given.margin.b, 30);
});

test("an axis without texts of its own is left to Plotly, as are y axes", () => {
  const given = layout([]);
  given.yaxis = { ticktext: numbers(50), tickvals: [] };
  const before = structuredClone(given);
  fitTicks(given);
  assert.deepEqual(given, before);
});

test("crowded numbers get smaller first, then every second goes", () => {
  const [smaller, thinned] = [layout(numbers(13)), layout(numbers(18))];
  fitTicks(smaller);
  assert.deepEqual([smaller.xaxis.ticktext?.length, smaller.xaxis.tickfont], [13, { size: 10 }]);
  fitTicks(thinned);
  assert.deepEqual(thinned.xaxis.ticktext, numbers(18).filter((_, index) => index % 2 === 0));
  assert.deepEqual(thinned.xaxis.tickvals, [0, 2, 4, 6, 8, 10, 12, 14, 16]);
});

test("powers are measured without their tags", () => {
  const given = layout(Array.from({ length: 11 }, (_, index) => `10<sup>${index}</sup>`));
  fitTicks(given);
  assert.deepEqual([given.xaxis.ticktext?.length, given.xaxis.tickfont], [11, { size: 12 }]);
});

test("long names are all kept, in rows one below the other, for which room is made", () => {
  const names = ["batch of 2", "a single class in every batch", "batch of 128", "without a norm"];
  const given = layout(names);
  fitTicks(given);
  const rows = given.xaxis.ticktext?.map((text) => text.split("<br>").length - 1) ?? [];
  assert.deepEqual(given.xaxis.ticktext?.map((text) => text.replaceAll("<br>", "")), names);
  assert.equal(new Set(rows).size, Math.max(...rows) + 1);
  assert.ok(rows.every((row, index) => row !== rows[index + 1]));
  assert.equal(given.margin.b, 30 + Math.ceil(Math.max(...rows) * 10 * 1.3));
});

test("names of two lines stand a whole name further down", () => {
  const given = layout(["first name<br>that is long", "second name<br>that is long", "third name<br>that is long"], { width: 250 });
  fitTicks(given);
  const rows = given.xaxis.ticktext?.map((text) => text.split("<br>").length) ?? [];
  assert.ok(rows.every((row) => row % 2 === 0));
});

test("panes side by side are thinned alike, by the one with the least room", () => {
  const given = layout(numbers(4));
  given.xaxis.domain = [0, 0.8];
  given.xaxis2 = { ticktext: numbers(4), tickvals: [0, 1, 2, 3], domain: [0.85, 1] };
  fitTicks(given);
  const second = /** @type {import("../protocol.js").Axis} */ (given.xaxis2);
  assert.deepEqual(given.xaxis.ticktext, second.ticktext);
  assert.ok((given.xaxis.ticktext?.length ?? 0) < 4);
});

test("a chart whose width is not known yet is taken to be narrow", () => {
  const [unknown, narrow] = [layout(numbers(12), { width: undefined }), layout(numbers(12), { width: 400 })];
  fitTicks(unknown);
  fitTicks(narrow);
  assert.deepEqual(unknown.xaxis, narrow.xaxis);
});
