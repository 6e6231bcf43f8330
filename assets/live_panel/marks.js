// What a mark draws of a frame: the pieces of its line, band, boxes, points, signs or ridges. Nothing here knows of Plotly.

import { bandPieces, flagPieces, linePieces, pointPieces, rangePieces, ridgePieces } from "./paths.js";

/** @import { Column, Piece, Widen } from "./paths.js" */
/** @import { Chart, Mark } from "./protocol.js" */
/** @import { Store, View } from "./store.js" */

/** @param {Mark} mark */
export const isImage = (mark) => mark.mark === "image" || mark.mark === "columns";

/** @param {Mark} mark */
export const hasNoPath = (mark) => mark.mark === "flag" || mark.mark === "points";

/** @type {(spec: Chart, mark: Mark) => boolean} */
export const hasPoints = (spec, mark) => Boolean(spec.figure.data[mark.trace]?.mode?.includes("markers"));

/**
 * The pieces of a mark as of frame k; none where the frame has nothing for it.
 *
 * @param {Chart} spec
 * @param {Store} store
 * @param {Mark} mark no image
 * @param {number} k
 * @param {View} view
 * @returns {Piece[]}
 */
export function piecesOf(spec, store, mark, k, view) {
  const isAppend = spec.kind === "append";
  const series = isAppend ? view.series[mark.series] : view.frames[k]?.[mark.series];
  if (!series) return [];
  if (mark.mark === "ridge") return ridgePieces(/** @type {string[]} */ (series), store.cells, mark.height, xRange(spec));
  const held = /** @type {Column[]} */ (series);
  const x = mark.x === null ? (isAppend ? store.steps : spec.x || []) : held[mark.x] || [];
  const columns = mark.columns.map((column) => held[column] || []);
  const count = Math.min(isAppend ? k + 1 : x.length, columns[0].length);
  if (mark.mark === "range") return rangePieces(x, columns, count, mark.offset, mark.width);
  if (mark.mark === "flag") return flagPieces(x, columns[0], count, mark.offset);
  if (mark.mark === "points") return pointPieces(x, columns[0], count, mark.offset);
  if (mark.mark === "band") return bandPieces(x, columns[0], columns[1], count, widener(spec));
  return linePieces(x, columns[0], count, hasPoints(spec, mark) ? null : widener(spec));
}

/**
 * The ends of the x axis; of a log axis: their exponents.
 *
 * @param {Chart} spec
 */
export const xRange = (spec) => spec.figure.layout.xaxis.range || [0, 1];

/**
 * How a lone point becomes a short dash.
 *
 * @param {Chart} spec
 * @returns {Widen}
 */
function widener(spec) {
  const [low, high] = xRange(spec);
  const half = spec.kind === "append" ? (high - low) * 0.006 : Math.min(0.25, (high - low) * 0.04);
  return spec.figure.layout.xaxis.type === "log" ? (x) => [x * 10 ** -half, x * 10 ** half] : (x) => [x - half, x + half];
}
