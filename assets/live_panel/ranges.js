// The y axis: what of the data it has to show, and by how much it grows.

/** @import { YRule } from "./protocol.js" */

/**
 * @typedef {object} Extent what was seen so far
 * @property {number} low
 * @property {number} high
 * @property {number} lowPositive the lowest value above 0
 * @property {number} firstHigh the largest absolute value of the first frame
 *
 * @typedef {[number, number]} Range low and high; of a log axis: their exponents
 * @typedef {number | string | null | undefined | readonly Values[]} Values nested; what is no number is not seen
 */

const FILLED = 0.5; // share of a following y axis below which it shrinks to the data

/** @param {number[]} include values that it always has */
export function newExtent(include = []) {
  /** @type {Extent} */
  const extent = { low: Infinity, high: -Infinity, lowPositive: Infinity, firstHigh: 0 };
  widen(extent, include, false);
  return extent;
}

/**
 * @param {Extent} extent
 * @param {readonly Values[]} values
 * @param {boolean} isFirst
 */
export function widen(extent, values, isFirst) {
  for (const value of values) {
    if (typeof value === "number") {
      if (value < extent.low) extent.low = value;
      if (value > extent.high) extent.high = value;
      if (value > 0 && value < extent.lowPositive) extent.lowPositive = value;
      if (isFirst && Math.abs(value) > extent.firstHigh) extent.firstHigh = Math.abs(value);
    } else if (value && typeof value === "object") widen(extent, value, isFirst);
  }
}

/**
 * The y axis for what was seen so far, or null when nothing was; it only ever grows.
 *
 * @param {YRule} rule
 * @param {Extent} extent
 * @param {boolean} isLog
 * @param {Range | null} [before]
 * @returns {Range | null}
 */
export function yRange(rule, extent, isLog, before) {
  if (rule.range) return rule.range;
  if (!(extent.high >= extent.low)) return before || null;
  return isLog ? logRange(extent, before) : linearRange(rule, extent, before);
}

/** @type {(extent: Extent, before?: Range | null) => Range | null} */
function logRange(extent, before) {
  if (!(extent.lowPositive < Infinity)) return before || null;
  const high = Math.min(Math.max(extent.high, extent.lowPositive), 1e12);
  const low = Math.min(Math.max(extent.lowPositive, high * 1e-12), high);
  /** @type {Range} */
  const range = [Math.floor(Math.log10(low) - 0.05), Math.ceil(Math.log10(high) + 0.05)];
  return before ? [Math.min(before[0], range[0]), Math.max(before[1], range[1])] : range;
}

/** @type {(rule: YRule, extent: Extent, before?: Range | null) => Range} */
function linearRange(rule, extent, before) {
  const cap = rule.cap ? Math.max(rule.cap * extent.firstHigh, 1e-6) : Infinity;
  const floor = rule.floor ?? Infinity;
  const low = Math.max(Math.min(extent.low, floor), -cap);
  const high = Math.min(extent.high, cap);
  if (before && low >= before[0] && high <= before[1]) return before;
  const least = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high)); // a smaller one is lost in rounding
  const room = Math.max(high - low, least) * (before ? 0.25 : 0.12); // growing costs a full draw: grow seldom
  /** @type {Range} */
  const range = [low === rule.floor ? low : low - room, high + room];
  return before ? [Math.min(before[0], range[0]), Math.max(before[1], range[1])] : range;
}

/** The y ranges of one chart, one a view and type of axis; each stays the same array until it changes. */
export class Ranges {
  constructor() {
    /** @type {Map<string, Range | null>} */
    this.known = new Map();
  }

  clear() {
    this.known.clear();
  }

  /**
   * The range for all frames so far.
   *
   * @param {string} key
   * @param {YRule} rule
   * @param {Extent} extent
   * @param {boolean} isLog
   */
  grown(key, rule, extent, isLog) {
    const before = this.known.get(key);
    const now = yRange(rule, extent, isLog, before);
    if (before && now && now[0] === before[0] && now[1] === before[1]) return before;
    this.known.set(key, now);
    return now;
  }

  /**
   * The range for one frame alone; the same array while its data still fit and fill half of it.
   *
   * @param {string} key
   * @param {YRule} rule
   * @param {Extent} extent of that frame
   * @param {boolean} isLog
   */
  following(key, rule, extent, isLog) {
    const before = this.known.get(key);
    const now = yRange(rule, extent, isLog);
    if (!now) return before || null;
    const [low, high] = isLog ? now : [Math.max(extent.low, now[0]), Math.min(extent.high, now[1])];
    if (before && low >= before[0] && high <= before[1] && now[1] - now[0] > FILLED * (before[1] - before[0])) return before;
    this.known.set(key, now);
    return now;
  }
}
