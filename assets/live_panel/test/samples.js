// Small events for the tests, complete as the protocol has them.

/** @import { Chart, Data, Frame, Mark, Series, Start } from "../protocol.js" */

/** @type {Mark} */
const MARK = { mark: "line", trace: 0, series: 0, columns: [0], arm: null, x: null, rows: 0, offset: 0, width: 0, height: 0 };

/**
 * @param {Partial<Mark>} given
 * @returns {Mark}
 */
export const mark = (given = {}) => ({ ...MARK, ...given });

/**
 * @param {Partial<Chart>} given
 * @returns {Chart}
 */
export function chart(given = {}) {
  return {
    id: "loss",
    title: "Loss",
    how: "Lower is better.",
    kind: "append",
    figure: {
      data: [{ uid: "loss0" }, { uid: "loss1" }],
      layout: { xaxis: { range: [0, 10], title: { text: "step" } }, yaxis: { title: { text: "loss" } }, margin: { l: 40, r: 10, t: 20, b: 30 } },
    },
    marks: [mark()],
    selectors: [],
    x: null,
    y: { range: null, cap: null, floor: null, include: [], follow: false },
    titles: {},
    palette: ["#000000", "#ffffff"],
    legend: [],
    wide: false,
    tall: false,
    empty: "Nothing yet",
    ...given,
  };
}

/**
 * @param {Partial<Start>} given
 * @returns {Start}
 */
export function start(given = {}) {
  return {
    run_id: "made",
    steps: 100,
    frames: 11,
    cells: { alphabet: "ABCD", not_measured: ".", diverged: "!", diverged_color: "red" },
    arms: [],
    band: "",
    proof: { twins: false, text: "", rows: [] },
    charts: [chart()],
    ...given,
  };
}

/**
 * A frame with the series of the chart `loss`, ten steps after the one before.
 *
 * @param {number} number
 * @param {Series[]} series
 * @param {Partial<Frame>} given
 * @returns {Frame}
 */
export function frame(number, series = [], given = {}) {
  return { frame: number, step: 10 * number, charts: { loss: { "": series } }, text: {}, ...given };
}

/**
 * @param {Partial<Data>} given
 * @returns {Data}
 */
export function data(given = {}) {
  return {
    run_id: "made",
    generation: 1,
    module: "index.js",
    css: "panel.css",
    plotly: "plotly.min.js",
    stream: "api/runs/made/stream",
    run: "api/runs/made",
    health: "api/health",
    autoplay: true,
    slow: null,
    prediction: null,
    ...given,
  };
}
