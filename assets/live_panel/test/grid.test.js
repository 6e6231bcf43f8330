import assert from "node:assert/strict";
import { test } from "node:test";

import { planned } from "../grid.js";
import { isDark } from "../page.js";

/** @param {string} widths a letter a chart, W for a wide one */
function plan(widths) {
  const { columns, rows, spans } = planned([...widths].map((letter, index) => ({ id: `${index}`, wide: letter === "W" })));
  return `${columns} columns, ${rows} rows: ${[...spans.values()].join(" ")}`;
}

test("charts fill their rows, the last of a row what is left of it", () => {
  const plans = ["", "n", "W", "nn", "Wn", "nnn", "nnnn", "Wnn", "nnnnn", "WW", "nWnWn", "nnnnnnn"].map(plan);
  assert.deepEqual(plans, [
    "0 columns, 0 rows: ",
    "1 columns, 1 rows: 1",
    "2 columns, 1 rows: 2",
    "2 columns, 1 rows: 1 1",
    "3 columns, 1 rows: 2 1",
    "3 columns, 1 rows: 1 1 1",
    "2 columns, 2 rows: 1 1 1 1",
    "2 columns, 2 rows: 2 1 1",
    "3 columns, 2 rows: 1 1 1 1 2",
    "2 columns, 2 rows: 2 2",
    "3 columns, 3 rows: 1 2 1 2 1",
    "3 columns, 3 rows: 1 1 1 1 1 1 1",
  ]);
});

test("a theme is dark by its background, however that is written", () => {
  assert.deepEqual(["#0e1117", "#ffffff", "rgb(14, 17, 23)", "rgba(255,255,255,0.9)", "white"].map(isDark), [true, false, true, false, false]);
});
