// Everything of Plotly's own that the panel touches beyond its public functions: where it keeps its axes, and the SVG
// elements that it draws. A Plotly that does it differently breaks this file alone; `agreement.js` notices.

/** @import { GraphDiv } from "./plotly.js" */
/** @import { Trace } from "./protocol.js" */
/** @import { Place } from "./agreement.js" */

/** @typedef {[toX: (value: number) => number, toY: (value: number) => number]} Scales from values to pixels */

/**
 * Whether Plotly has drawn into a node.
 *
 * @param {GraphDiv} gd
 */
export function isDrawn(gd) {
  return Boolean(gd._fullLayout);
}

/**
 * What Plotly keeps of a trace's axes.
 *
 * @param {GraphDiv} gd
 * @param {Trace} trace
 */
function axesOf(gd, trace) {
  return [trace.xaxis || "x", trace.yaxis || "y"].map((name) => gd._fullLayout?.[`${name[0]}axis${name.slice(1)}`]);
}

/**
 * A trace's axes as functions from a value to a pixel of the plot; null when they are not there.
 *
 * @param {GraphDiv} gd
 * @param {Trace} trace
 * @returns {Scales | null}
 */
export function scalesOf(gd, trace) {
  const [x, y] = axesOf(gd, trace);
  if (typeof x?.c2p !== "function" || typeof y?.c2p !== "function") return null;
  return [(value) => x.c2p(value), (value) => y.c2p(value)];
}

/**
 * Width and height of the plot that a trace is drawn in, in pixels.
 *
 * @param {GraphDiv} gd
 * @param {Trace} trace
 * @returns {[number, number]}
 */
export function sizeOf(gd, trace) {
  const [x, y] = axesOf(gd, trace);
  return [x?._length ?? NaN, y?._length ?? NaN];
}

/**
 * What Plotly has drawn of a trace: a line for each of its pieces, one filled area, its markers.
 *
 * @param {GraphDiv} gd
 * @param {Trace} trace
 */
export function partsOf(gd, trace) {
  const group = gd.querySelector(`.trace${trace.uid}`);
  /** @type {(selector: string) => Element[]} */
  const all = (selector) => [...(group?.querySelectorAll(selector) || [])];
  return { lines: all(".js-line"), fill: all(".js-fill")[0] || null, points: all(".points path.point") };
}

/**
 * The images of a layout, in its order.
 *
 * @param {GraphDiv} gd
 * @returns {NodeListOf<SVGImageElement>}
 */
export function imagesOf(gd) {
  return gd.querySelectorAll(".imagelayer image");
}

/**
 * Plotly's own attribute goes first: it is called href too, and setting href would only change it.
 *
 * @param {Element} image
 * @param {string} source
 */
export function setImage(image, source) {
  image.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
  image.setAttribute("href", source);
}

/**
 * @param {Element} point
 * @returns {Place}
 */
export function placeOf(point) {
  const [x, y] = (point.getAttribute("transform")?.match(/-?[\d.]+/g) || []).map(Number);
  return [x, y];
}

/**
 * @param {Element} point
 * @param {Place} place
 */
export function movePoint(point, [x, y]) {
  point.setAttribute("transform", `translate(${x.toFixed(1)},${y.toFixed(1)})`);
}
