// How the cards stand: in how many columns, and how high their plots are.

import { lengthOf } from "./page.js";

/** @import { Card } from "./card.js" */
/** @import { Chart } from "./protocol.js" */

/** @typedef {{ used: number, own: number, last: string }} Row columns that are taken, those of its last chart, and its id */

const [SHORTEST, TALLEST, TALLEST_ROW] = [140, 340, 420]; // pixels of a plot; of one in a single row
const HIGHEST = 0.3; // share of the window that what stands above the charts takes at most from their height
const MOST_SPAN = 2; // columns that a chart is widened to, to fill its row

/**
 * As many columns as the charts fill; what a row has left, its last chart takes.
 *
 * @param {Pick<Chart, "id" | "wide">[]} charts
 */
export function planned(charts) {
  const cells = charts.reduce((sum, chart) => sum + (chart.wide ? 2 : 1), 0);
  const columns = cells < 3 || cells === 4 ? Math.min(cells, 2) : 3;
  /** @type {Map<string, number>} */
  const spans = new Map();
  /** @type {Row[]} */
  const rows = [];
  for (const { id, wide } of charts) {
    const own = Math.min(wide ? 2 : 1, columns);
    const row = rows.at(-1);
    if (!row || row.used + own > columns) rows.push({ used: own, own, last: id });
    else Object.assign(row, { used: row.used + own, own, last: id });
    spans.set(id, own);
  }
  for (const { used, last, own } of rows) {
    const widened = own + columns - used;
    if (widened <= MOST_SPAN) spans.set(last, widened);
  }
  return { columns, rows: rows.length, spans };
}

/**
 * Put the cards into columns; returns the number of rows.
 *
 * @param {HTMLElement} grid
 * @param {Chart[]} charts
 * @param {Map<string, Card>} cards
 */
export function arrange(grid, charts, cards) {
  const { columns, rows, spans } = planned(charts);
  grid.dataset.columns = String(columns);
  for (const [id, span] of spans) cards.get(id)?.element.style.setProperty("--span", String(span));
  return rows;
}

/**
 * Pixels of a plot with which two rows of charts fit between the head and the playback bar; null where the page scrolls.
 *
 * @param {HTMLElement} root
 * @param {HTMLElement} grid
 * @param {HTMLElement} foot
 * @param {number} rowCount
 */
export function plotHeight(root, grid, foot, rowCount) {
  const cards = [...grid.querySelectorAll(".bnv-card")];
  const rows = Math.min(rowCount || Infinity, lengthOf(root, "--rows"));
  if (!cards.length || !rows) return null;
  const scroller = root.closest("[data-testid=stMain]");
  const top = grid.getBoundingClientRect().top + (scroller ? scroller.scrollTop : scrollY);
  const around = Math.max(...cards.map((card) => card.bnvCard?.around ?? 0));
  const gaps = (rows + 1) * lengthOf(grid, "row-gap");
  const room = (innerHeight - Math.min(top, HIGHEST * innerHeight) - foot.offsetHeight - gaps) / rows - around;
  return Math.round(Math.min(Math.max(room, SHORTEST), rows === 1 ? TALLEST_ROW : TALLEST));
}
