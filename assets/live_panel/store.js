// The history of one run: every frame received, and per chart and view the columns and extents that drawing needs.

import { Cells } from "./cells.js";

export class Store {
  constructor(start) {
    this.start = start;
    this.frames = [];
    this.steps = [];
    this.texts = new Map(); // key -> [[frame, value], ...], only where the value changed
    this.views = new Map();
  }

  /** How this run's cells are packed. */
  get cells() {
    return (this.unpacker ||= new Cells(this.start.cells));
  }

  get last() {
    return this.frames.length - 1;
  }

  /** Take a frame; "old" when it is here already, "gap" when an earlier one is missing. */
  add(frame) {
    if (frame.frame < this.frames.length) return "old";
    if (frame.frame > this.frames.length) return "gap";
    this.frames.push(frame);
    this.steps.push(frame.step);
    for (const [key, value] of Object.entries(frame.text || {})) {
      if (!this.texts.has(key)) this.texts.set(key, []);
      this.texts.get(key).push([frame.frame, value]);
    }
    return "new";
  }

  /** A sentence as it stood at a frame. */
  text(key, frame) {
    const changes = this.texts.get(key) || [];
    let value = "";
    for (const [since, text] of changes) {
      if (since > frame) break;
      value = text;
    }
    return value;
  }

  /** The data of a chart in one view, brought up to the last frame. */
  view(chart, key) {
    const id = `${chart.id}:${key}`;
    if (!this.views.has(id)) this.views.set(id, { count: 0, series: [], extent: newExtent(chart.y.include) });
    const view = this.views.get(id);
    for (; view.count < this.frames.length; view.count++) {
      const series = this.frames[view.count].charts[chart.id]?.[key] || [];
      if (chart.kind === "append") append(view, series);
      else view.series.push(series);
      if (!chart.y.range) widen(view.extent, this.onAxis(chart, series), view.count === 0);
    }
    return view;
  }

  /** The extent of one frame of a replace chart. */
  extentAt(chart, view, k) {
    const extent = newExtent(chart.y.include);
    widen(extent, this.onAxis(chart, view.series[k] || []), true);
    return extent;
  }

  /** The columns that the y axis shows: none that hold an x, or are drawn on an axis of their own. */
  onAxis(chart, series) {
    chart.shown ||= shownColumns(chart);
    return series.map((columns, index) => [...(chart.shown.get(index) || [])].map((column) => columns?.[column] ?? null));
  }
}

function shownColumns(chart) {
  const shown = new Map();
  for (const mark of chart.marks) {
    if ((chart.figure.data[mark.trace]?.yaxis || "y") !== "y") continue;
    if (!shown.has(mark.series)) shown.set(mark.series, new Set());
    for (const column of mark.columns) shown.get(mark.series).add(column);
  }
  return shown;
}

function newExtent(include = []) {
  const extent = { low: Infinity, high: -Infinity, lowPositive: Infinity, firstHigh: 0 };
  widen(extent, include, false);
  return extent;
}

function append(view, series) {
  series.forEach((columns, index) => {
    const target = (view.series[index] ||= columns.map(() => []));
    columns.forEach((value, column) => {
      while (target[column].length < view.count) target[column].push(null);
      target[column].push(value);
    });
  });
}

function widen(extent, values, isFirst) {
  for (const value of values) {
    if (Array.isArray(value)) widen(extent, value, isFirst);
    else if (typeof value === "number") {
      if (value < extent.low) extent.low = value;
      if (value > extent.high) extent.high = value;
      if (value > 0 && value < extent.lowPositive) extent.lowPositive = value;
      if (isFirst && Math.abs(value) > extent.firstHigh) extent.firstHigh = Math.abs(value);
    }
  }
}

/** The y axis [low, high] for what was seen so far (log: exponents), or null when nothing was; it only ever grows. */
export function yRange(rule, extent, isLog, before) {
  if (rule.range) return rule.range;
  if (!(extent.high >= extent.low)) return before || null;
  return isLog ? logRange(extent, before) : linearRange(rule, extent, before);
}

function logRange(extent, before) {
  if (!(extent.lowPositive < Infinity)) return before || null;
  const high = Math.min(Math.max(extent.high, extent.lowPositive), 1e12);
  const low = Math.max(extent.lowPositive, high * 1e-12);
  const range = [Math.floor(Math.log10(low) - 0.05), Math.ceil(Math.log10(high) + 0.05)];
  return before ? [Math.min(before[0], range[0]), Math.max(before[1], range[1])] : range;
}

function linearRange(rule, extent, before) {
  const cap = rule.cap ? Math.max(rule.cap * extent.firstHigh, 1e-6) : Infinity;
  const floor = rule.floor ?? Infinity;
  const low = Math.max(Math.min(extent.low, floor), -cap);
  const high = Math.min(extent.high, cap);
  if (before && low >= before[0] && high <= before[1]) return before;
  const room = Math.max(high - low, 1e-9) * (before ? 0.25 : 0.12); // growing costs a full draw: grow seldom
  const range = [low === rule.floor ? low : low - room, high + room];
  return before ? [Math.min(before[0], range[0]), Math.max(before[1], range[1])] : range;
}
