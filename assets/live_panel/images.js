// Packed cells to small images: a grid as a whole, or a map that grows to the right by one column per frame.

export const EMPTY_IMAGE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const CELL = 16; // pixels of a cell with room for a cross
const MAP_WIDTH = 320; // pixels of a growing map: more columns than a chart is wide serve nobody
const MOST_PLAIN = 4096; // cells of a grid above which each is one pixel

/** @import { Cells } from "./cells.js" */

/** @type {HTMLCanvasElement | null} */
let scratch = null;

/** @type {(canvas: HTMLCanvasElement) => CanvasRenderingContext2D} */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/**
 * A grid, row after row from the bottom up, as a PNG in a data URL.
 *
 * @param {string} packed
 * @param {string[]} palette
 * @param {Cells} cells
 * @param {number} rows 0 for a square
 */
export function toImage(packed, palette, cells, rows = 0) {
  const height = rows || Math.round(Math.sqrt(packed.length));
  const width = Math.max(1, Math.round(packed.length / height));
  const cell = rows && packed.length <= MOST_PLAIN ? CELL : 1;
  scratch ||= document.createElement("canvas");
  Object.assign(scratch, { width: width * cell, height: height * cell }); // clears it too
  const context = contextOf(scratch);
  for (let i = 0; i < packed.length; i++) {
    const at = packed[i];
    if (at === cells.notMeasured) continue;
    const [x, y] = [(i % width) * cell, (height - 1 - Math.floor(i / width)) * cell];
    context.fillStyle = cells.color(at, palette);
    context.fillRect(x, y, cell, cell);
    if (at === cells.diverged && cell > 1) cross(context, x, y);
  }
  return scratch.toDataURL();
}

/**
 * A sign in the cell: colour alone says nothing to some.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 */
function cross(context, x, y) {
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.beginPath();
  for (const [from, to] of [[4, CELL - 4], [CELL - 4, 4]]) {
    context.moveTo(x + from, y + 4);
    context.lineTo(x + to, y + CELL - 4);
  }
  context.stroke();
}

/** A map over the steps. It keeps its canvas, so that a new frame costs one column. */
export class GrowingMap {
  /**
   * @param {number} rows
   * @param {string[]} palette
   * @param {Cells} cells
   * @param {[number, number]} steps the first and the last that it has room for
   */
  constructor(rows, palette, cells, [low, high]) {
    this.rows = rows;
    this.palette = palette;
    this.cells = cells;
    this.low = low;
    this.high = high;
    this.shown = -1; // the last frame drawn
    this.canvas = document.createElement("canvas");
    Object.assign(this.canvas, { width: MAP_WIDTH, height: rows });
    this.context = contextOf(this.canvas);
  }

  /** @param {number} step */
  pixel(step) {
    return Math.round(((step - this.low) / (this.high - this.low)) * MAP_WIDTH);
  }

  /**
   * The map as of frame k, as a data URL; frames without a column, of other stages of a study, change nothing.
   *
   * @param {(string | null)[]} columns packed, one a frame
   * @param {number[]} steps
   * @param {number} k
   */
  draw(columns, steps, k) {
    const last = Math.min(k, columns.length - 1);
    if (last < this.shown) {
      this.context.clearRect(0, 0, MAP_WIDTH, this.rows);
      this.shown = -1;
    }
    for (let i = Math.max(0, this.shown); i <= last; i++) {
      const packed = columns[i];
      if (!packed) continue;
      const from = Math.min(this.pixel(steps[i]), MAP_WIDTH - 1);
      const to = i < last && columns[i + 1] ? this.pixel(steps[i + 1]) : from + 1;
      if (to > from) this.column(packed, from, to - from);
    }
    this.shown = last;
    return this.canvas.toDataURL();
  }

  /**
   * One column, a rectangle for each run of equal cells.
   *
   * @param {string} packed
   * @param {number} x
   * @param {number} width
   */
  column(packed, x, width) {
    this.context.clearRect(x, 0, width, this.rows);
    for (let from = 0, to = 0; from < packed.length; from = to) {
      while (to < packed.length && packed[to] === packed[from]) to++;
      if (packed[from] === this.cells.notMeasured) continue;
      this.context.fillStyle = this.cells.color(packed[from], this.palette);
      this.context.fillRect(x, this.rows - to, width, to - from);
    }
  }
}
