// The texts along x axes: made to fit, whatever the chart's width.

const SMALLER = 2; // pixels by which labels shrink before some are left out
const LINE_HEIGHT = 1.3; // as Plotly sets lines of text
const WIDE_GLYPH = 0.6; // width of a character, as a share of the font size

/** @import { Axis, Layout } from "./protocol.js" */

/**
 * @typedef {Axis & { ticktext: string[], tickvals: number[] }} LabelledAxis
 * @typedef {Layout & { width?: number, font: { size: number } }} SizedLayout
 */

/** @type {(text: string) => string[]} */
const linesOf = (text) => text.replace(/<\/?su[bp]>/g, "").split("<br>");

/**
 * Make the texts along x axes fit beside each other: smaller; then names in several rows, numbers with gaps.
 *
 * @param {SizedLayout} layout which is changed
 */
export function fitTicks(layout) {
  const axes = labelledAxes(layout);
  if (!axes.length) return;
  const inner = (layout.width || 400) - layout.margin.l - layout.margin.r;
  const fits = axes.map(({ ticktext, domain: [from, to] = [0, 1] }) => {
    const glyphs = Math.max(...ticktext.flatMap(linesOf).map((line) => line.length)) * WIDE_GLYPH + 0.5;
    const room = ((to - from) * inner) / ticktext.length;
    const size = layout.font.size - (glyphs * layout.font.size > room ? SMALLER : 0);
    return { size, stride: Math.max(1, Math.ceil((glyphs * size) / room)) };
  });
  const stride = Math.max(...fits.map((fit) => fit.stride)); // alike on all axes
  const tickfont = { size: Math.min(...fits.map((fit) => fit.size)) };
  const isNamed = axes.length === 1 && axes[0].ticktext.some((text) => linesOf(text).some((line) => /[a-z]{3}/i.test(line)));
  for (const axis of axes) Object.assign(axis, { tickangle: 0, tickfont, ...(isNamed ? {} : thinned(axis, stride)) });
  if (isNamed && stride > 1) stagger(axes[0], layout, stride, tickfont.size);
}

/**
 * @param {Layout} layout
 * @returns {LabelledAxis[]}
 */
function labelledAxes(layout) {
  const axes = Object.entries(layout).flatMap(([name, axis]) => (/^xaxis/.test(name) ? [/** @type {LabelledAxis} */ (axis)] : []));
  return axes.filter((axis) => axis.ticktext?.length);
}

/** @type {(axis: LabelledAxis, stride: number) => object} */
function thinned({ ticktext, tickvals }, stride) {
  /** @type {<T>(values: T[]) => T[]} */
  const kept = (values) => values.filter((_, index) => index % stride === 0);
  return { ticktext: kept(ticktext), tickvals: kept(tickvals) };
}

/**
 * Write every second name, or two of three, further down.
 *
 * @param {LabelledAxis} axis
 * @param {Layout} layout
 * @param {number} rows
 * @param {number} size of the font, in pixels
 */
function stagger(axis, layout, rows, size) {
  const lines = Math.max(...axis.ticktext.map((text) => linesOf(text).length));
  axis.ticktext = axis.ticktext.map((text, index) => "<br>".repeat(lines * (index % rows)) + text);
  layout.margin.b += Math.ceil(lines * (rows - 1) * size * LINE_HEIGHT);
}
