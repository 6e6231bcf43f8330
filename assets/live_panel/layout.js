// How a chart's figure is laid out for the view that is chosen, the page's theme and the room there is.

import { fitTicks } from "./ticks.js";

/** @import { Theme } from "./page.js" */
/** @import { Axis, Chart, Layout } from "./protocol.js" */
/** @import { Range } from "./ranges.js" */

/**
 * @typedef {object} Place where the figure is drawn
 * @property {number} width in pixels, 0 while it has none
 * @property {number} height
 * @property {number} font pixels; larger for a projector
 * @property {number} room pixels that larger labels need around the plot
 *
 * @typedef {Layout & Sized} FullLayout
 * @typedef {object} Sized
 * @property {number} [width]
 * @property {number} [height]
 * @property {{ color: string, family: string, size: number }} font
 */

/** @param {Chart} spec */
export function viewKeyOf(spec) {
  return spec.selectors.filter((selector) => selector.role === "view").map((selector) => selector.value).join("/");
}

/** @param {Chart} spec */
export function isLogOf(spec) {
  const scale = spec.selectors.find((selector) => selector.role === "scale");
  return (scale ? scale.value : spec.figure.layout.yaxis.type) === "log";
}

/** @param {Chart} spec */
export function yTitleOf(spec) {
  return spec.titles[viewKeyOf(spec)]?.y || spec.figure.layout.yaxis.title?.text || "";
}

/**
 * @param {Chart} spec
 * @param {string} run for which zoom is kept
 * @param {Range | null} range of the y axis
 * @param {Theme} theme
 * @param {Place} place
 * @returns {FullLayout}
 */
export function layoutOf(spec, run, range, theme, place) {
  const layout = /** @type {FullLayout} */ (structuredClone(spec.figure.layout));
  const [viewKey, isLog, titles] = [viewKeyOf(spec), isLogOf(spec), spec.titles[viewKeyOf(spec)] || {}];
  layout.uirevision = run;
  layout.font = { color: theme.text, family: theme.font, size: place.font };
  for (const side of /** @type {const} */ (["l", "t", "b"])) layout.margin[side] += place.room;
  layout.width = place.width || undefined;
  layout.height = place.height || undefined;
  if (theme.coarse) layout.dragmode = false; // a finger scrolls the page
  for (const axis of axesOf(layout)) Object.assign(axis, { gridcolor: theme.grid, linecolor: theme.grid, tickcolor: theme.grid });
  fitTicks(layout);
  const powers = { size: layout.font.size - 2 }; // set larger than other labels
  if (layout.xaxis.type === "log" && !layout.xaxis.ticktext) layout.xaxis.tickfont = powers;
  if (titles.x) layout.xaxis.title = { ...layout.xaxis.title, text: titles.x };
  layout.yaxis.title = { ...layout.yaxis.title, text: "" }; // the card shows it
  layout.yaxis.type = isLog ? "log" : "linear";
  layout.yaxis.uirevision = `${run}:${viewKey}:${isLog}`;
  if (range) layout.yaxis.range = [...range];
  if (isLog && range) {
    const decades = range[1] - range[0];
    Object.assign(layout.yaxis, { dtick: Math.max(1, Math.ceil(decades / 6)), exponentformat: "power", nticks: 0, tickfont: powers });
  }
  return layout;
}

/**
 * @param {Layout} layout
 * @returns {Axis[]}
 */
function axesOf(layout) {
  return Object.entries(layout).flatMap(([name, axis]) => (/^[xy]axis/.test(name) ? [/** @type {Axis} */ (axis)] : []));
}
