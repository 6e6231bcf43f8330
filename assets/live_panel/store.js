// The history of one run: every frame received, and per chart and view the columns and extents that drawing needs.

import { Cells } from "./cells.js";
import { newExtent, widen } from "./ranges.js";

/** @import { Chart, Frame, Point, Series, Start } from "./protocol.js" */
/** @import { Extent } from "./ranges.js" */

/**
 * @typedef {object} View the data of a chart in one view, up to frame `count`
 * @property {number} count
 * @property {Point[][]} series of an append chart: by series and column, one value per frame
 * @property {Series[][]} frames of a replace chart: by frame, its series
 * @property {Extent} extent
 *
 * @typedef {"new" | "old" | "gap"} Place where a frame stands: "old" when it is here already, "gap" when an earlier one is missing
 */

export class Store {
  /** @param {Start} start */
  constructor(start) {
    this.start = start;
    /** @type {Frame[]} */
    this.frames = [];
    /** @type {number[]} */
    this.steps = [];
    /** @type {Map<string, [frame: number, text: string][]>} only where a sentence changed */
    this.texts = new Map();
    /** @type {Map<string, View>} */
    this.views = new Map();
    /** @type {Map<string, Map<number, Set<number>>>} by chart, see `shownColumns` */
    this.shown = new Map();
    /** @type {Cells | undefined} */
    this.unpacker = undefined;
  }

  /** How this run's cells are packed. */
  get cells() {
    return (this.unpacker ||= new Cells(this.start.cells));
  }

  get last() {
    return this.frames.length - 1;
  }

  /**
   * Take a frame, when it is the next.
   *
   * @param {Frame} frame
   * @returns {Place}
   */
  add(frame) {
    if (frame.frame < this.frames.length) return "old";
    if (frame.frame > this.frames.length) return "gap";
    this.frames.push(frame);
    this.steps.push(frame.step);
    for (const [key, value] of Object.entries(frame.text || {})) {
      const changes = this.texts.get(key) || [];
      this.texts.set(key, changes);
      changes.push([frame.frame, value]);
    }
    return "new";
  }

  /**
   * A sentence as it stood at a frame.
   *
   * @param {string} key
   * @param {number} frame
   */
  text(key, frame) {
    const changes = this.texts.get(key) || [];
    let value = "";
    for (const [since, text] of changes) {
      if (since > frame) break;
      value = text;
    }
    return value;
  }

  /**
   * The data of a chart in one view, brought up to the last frame.
   *
   * @param {Chart} chart
   * @param {string} key
   */
  view(chart, key) {
    const id = `${chart.id}:${key}`;
    /** @type {View} */
    const view = this.views.get(id) || { count: 0, series: [], frames: [], extent: newExtent(chart.y.include) };
    this.views.set(id, view);
    for (; view.count < this.frames.length; view.count++) {
      const series = this.frames[view.count].charts[chart.id]?.[key] || [];
      if (chart.kind === "append") append(view, series);
      else view.frames.push(series);
      if (!chart.y.range) widen(view.extent, this.onAxis(chart, series), view.count === 0);
    }
    return view;
  }

  /**
   * The extent of one frame of a replace chart.
   *
   * @param {Chart} chart
   * @param {View} view
   * @param {number} k
   */
  extentAt(chart, view, k) {
    const extent = newExtent(chart.y.include);
    widen(extent, this.onAxis(chart, view.frames[k] || []), true);
    return extent;
  }

  /**
   * Whether a chart has no value at all in this view: an append chart so far, a replace chart in frame k.
   *
   * @param {Chart} chart
   * @param {string} key
   * @param {number} k
   */
  isBlank(chart, key, k) {
    const view = this.view(chart, key);
    if (chart.kind === "append") return !chart.y.range && !holds(view.series);
    return !holds(view.frames[k] || []);
  }

  /**
   * The columns that the y axis shows: none that hold an x, or are drawn on an axis of their own.
   *
   * @param {Chart} chart
   * @param {Series[]} series
   */
  onAxis(chart, series) {
    const shown = this.shown.get(chart.id) || shownColumns(chart);
    this.shown.set(chart.id, shown);
    return series.map((columns, index) => [...(shown.get(index) || [])].map((column) => columns?.[column] ?? null));
  }
}

/**
 * By series, the columns that are drawn on the chart's own y axis.
 *
 * @param {Chart} chart
 */
function shownColumns(chart) {
  /** @type {Map<number, Set<number>>} */
  const shown = new Map();
  for (const mark of chart.marks) {
    if ((chart.figure.data[mark.trace]?.yaxis || "y") !== "y") continue;
    const columns = shown.get(mark.series) || new Set();
    for (const column of mark.columns) columns.add(column);
    shown.set(mark.series, columns);
  }
  return shown;
}

/**
 * Whether there is any value in it.
 *
 * @param {unknown} value
 * @returns {boolean}
 */
function holds(value) {
  return Array.isArray(value) ? value.some(holds) : value !== null && value !== undefined && value !== "";
}

/**
 * @param {View} view
 * @param {Series[]} series of one frame of an append chart
 */
function append(view, series) {
  series.forEach((point, index) => {
    const columns = /** @type {Point} */ (point);
    const target = (view.series[index] ||= columns.map(() => []));
    columns.forEach((value, column) => {
      while (target[column].length < view.count) target[column].push(null);
      target[column].push(value);
    });
  });
}
