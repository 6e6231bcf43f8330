// Series to points: for Plotly (arrays) and for the fast path (the `d` of an SVG path). Gaps are null.

const MOST_POINTS = 700; // more than a chart has pixels; longer series are thinned, the last point always stays

/** @import { Value } from "./protocol.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Place } from "./agreement.js" */
/** @import { Scales } from "./plotly_internals.js" */

/**
 * @typedef {Value[]} Column a value a point
 * @typedef {{ x: number[], y: number[] }} Piece what is drawn in one stroke
 * @typedef {((x: number) => [number, number]) | null} Widen gives the ends of the dash that a lone point becomes, to be seen
 */

/** @type {(value: unknown) => value is null | undefined} */
const isMissing = (value) => value === null || value === undefined;

/**
 * Runs of consecutive points where every column has a value.
 *
 * @param {Column} x
 * @param {Column[]} columns
 * @param {number} count of points
 * @returns {{ x: number[], columns: number[][] }[]}
 */
export function runs(x, columns, count) {
  /** @type {number[][]} */
  const found = [];
  /** @type {number[] | null} */
  let run = null;
  const stride = Math.max(1, Math.ceil(count / MOST_POINTS));
  for (let i = 0; i < count; i = i === count - 1 ? count : Math.min(i + stride, count - 1)) {
    if (isMissing(x[i]) || columns.some((column) => isMissing(column[i]))) run = null;
    else {
      if (!run) found.push((run = []));
      run.push(i);
    }
  }
  /** @type {(column: Column, indices: number[]) => number[]} */
  const take = (column, indices) => indices.map((i) => /** @type {number} */ (column[i]));
  return found.map((indices) => ({ x: take(x, indices), columns: columns.map((column) => take(column, indices)) }));
}

/**
 * Polylines of a line mark.
 *
 * @param {Column} x
 * @param {Column} column
 * @param {number} count
 * @param {Widen} [widen]
 * @returns {Piece[]}
 */
export function linePieces(x, column, count, widen) {
  return runs(x, [column], count).map((run) => widened({ x: run.x, y: run.columns[0] }, widen));
}

/**
 * Closed polygons of a band mark.
 *
 * @param {Column} x
 * @param {Column} low
 * @param {Column} high
 * @param {number} count
 * @param {Widen} [widen]
 * @returns {Piece[]}
 */
export function bandPieces(x, low, high, count, widen) {
  return runs(x, [low, high], count).map((run) => {
    const bottom = widened({ x: run.x, y: run.columns[0] }, widen);
    const top = widened({ x: run.x, y: run.columns[1] }, widen);
    return { x: [...bottom.x, ...top.x.reverse()], y: [...bottom.y, ...top.y.reverse()] };
  });
}

/** @type {(piece: Piece, widen?: Widen) => Piece} */
function widened(piece, widen) {
  if (piece.x.length !== 1 || !widen) return piece;
  return { x: widen(piece.x[0]), y: [piece.y[0], piece.y[0]] };
}

/**
 * Of a range mark: per point a closed box from low to high, and a tick across it at the median.
 *
 * @param {Column} x
 * @param {Column[]} columns low, median, high
 * @param {number} count
 * @param {number} offset added to x
 * @param {number} width of the box
 */
export function rangePieces(x, [low, median, high], count, offset, width) {
  /** @type {Piece[]} */
  const pieces = [];
  for (let i = 0; i < count; i++) {
    const [at, from, middle, to] = [x[i], low[i], median[i], high[i]];
    if (isMissing(at) || isMissing(from) || isMissing(middle) || isMissing(to)) continue;
    const [left, right] = [at + offset - width / 2, at + offset + width / 2];
    pieces.push({ x: [left, left, right, right, left], y: [from, to, to, from, from] });
    pieces.push({ x: [left, right], y: [middle, middle] });
  }
  return pieces;
}

/**
 * Of a points mark: a point for every x where the column has a value.
 *
 * @param {Column} x
 * @param {Column} column
 * @param {number} count
 * @param {number} offset added to x
 */
export function pointPieces(x, column, count, offset) {
  /** @type {Piece[]} */
  const points = [];
  for (let i = 0; i < count; i++) {
    const [at, value] = [x[i], column[i]];
    if (!isMissing(at) && !isMissing(value)) points.push({ x: [at + offset], y: [value] });
  }
  return points;
}

/**
 * Of a flag mark: a point at height y for every x where the column is above 0.
 *
 * @param {Column} x
 * @param {Column} column
 * @param {number} count
 * @param {number} y
 * @returns {Piece[]}
 */
export function flagPieces(x, column, count, y) {
  const flagged = x.slice(0, count).filter((at, index) => !isMissing(at) && (column[index] ?? 0) > 0);
  return flagged.map((at) => ({ x: [/** @type {number} */ (at)], y: [y] }));
}

/**
 * Outlines of a ridge mark, one a row.
 *
 * @param {string[]} rows packed levels
 * @param {Cells} cells
 * @param {number} height of the highest level
 * @param {[number, number]} ends of the bins, low and high
 */
export function ridgePieces(rows, cells, height, [low, high]) {
  return rows.map((row, baseline) => {
    const width = (high - low) / row.length;
    /** @type {Piece} */
    const piece = { x: [], y: [] };
    /** @type {(x: number, y: number) => void} */
    const add = (x, y) => {
      piece.x.push(x);
      piece.y.push(y);
    };
    add(low, baseline);
    for (let i = 0; i < row.length; i++) {
      const level = cells.level(row, i);
      const around = level + (i ? cells.level(row, i - 1) : 0) + (i + 1 < row.length ? cells.level(row, i + 1) : 0);
      if (around) add(low + (i + 0.5) * width, baseline + (height * level) / cells.top);
    }
    add(high, baseline);
    return piece;
  });
}

/**
 * Pieces to the arrays of one Plotly trace, parted by gaps.
 *
 * @param {Piece[]} pieces
 */
export function toArrays(pieces) {
  /** @type {Column} */
  const x = [];
  /** @type {Column} */
  const y = [];
  pieces.forEach((piece, index) => {
    if (index) {
      x.push(null);
      y.push(null);
    }
    for (let i = 0; i < piece.x.length; i++) {
      x.push(piece.x[i]);
      y.push(piece.y[i]);
    }
  });
  return { x, y };
}

/**
 * Pieces to the `d` of an SVG path.
 *
 * @param {Piece[]} pieces
 * @param {Scales} scales
 * @param {boolean} close whether they are areas
 */
export function toPath(pieces, [toX, toY], close) {
  let d = "";
  for (const piece of pieces) {
    let pen = "M";
    for (let i = 0; i < piece.x.length; i++) {
      const px = toX(piece.x[i]);
      const py = toY(piece.y[i]);
      if (!Number.isFinite(px) || !Number.isFinite(py)) {
        if (!close) pen = "M"; // a value that a log axis cannot show
        continue;
      }
      d += `${pen}${Math.round(px * 10) / 10},${Math.round(Math.max(-5000, Math.min(5000, py)) * 10) / 10}`;
      pen = "L";
    }
    if (close && d) d += "Z";
  }
  return d;
}

/**
 * The pixels of every point that the axes can show.
 *
 * @param {Piece[]} pieces
 * @param {Scales} scales
 */
export function toPixels(pieces, [toX, toY]) {
  const pixels = pieces.flatMap((piece) => piece.x.map((x, i) => /** @type {Place} */ ([toX(x), toY(piece.y[i])])));
  return pixels.filter((pixel) => pixel.every(Number.isFinite));
}
