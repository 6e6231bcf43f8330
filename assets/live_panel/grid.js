// How the cards stand: in how many columns, and how high their plots are.

import { lengthOf } from "./page.js";

const [SHORTEST, TALLEST, TALLEST_ROW] = [140, 340, 420]; // pixels of a plot; of one in a single row
const HIGHEST = 0.3; // share of the window that what stands above the charts takes at most from their height
const MOST_SPAN = 2; // columns that a chart is widened to, to fill its row

/** As many columns as the charts fill; what a row has left, its last chart takes. Returns the number of rows. */
export function arrange(grid, charts, cards) {
  const cells = charts.reduce((sum, chart) => sum + (chart.wide ? 2 : 1), 0);
  const columns = cells < 3 || cells === 4 ? Math.min(cells, 2) : 3;
  const span = (chart, count) => cards.get(chart.id).element.style.setProperty("--span", count);
  grid.dataset.columns = columns;
  const rows = [];
  for (const chart of charts) {
    const own = Math.min(chart.wide ? 2 : 1, columns);
    if (!rows.length || rows.at(-1).used + own > columns) rows.push({ used: 0 });
    Object.assign(rows.at(-1), { used: rows.at(-1).used + own, last: chart, own });
    span(chart, own);
  }
  for (const { used, last, own } of rows) {
    const widened = own + columns - used;
    if (widened <= MOST_SPAN) span(last, widened);
  }
  return rows.length;
}

/** Pixels of a plot with which two rows of charts fit between the head and the playback bar; null where the page scrolls. */
export function plotHeight(root, grid, foot, rowCount) {
  const cards = [...grid.querySelectorAll(".bnv-card")];
  const rows = Math.min(rowCount || Infinity, lengthOf(root, "--rows"));
  if (!cards.length || !rows) return null;
  const scroller = root.closest("[data-testid=stMain]");
  const top = grid.getBoundingClientRect().top + (scroller ? scroller.scrollTop : scrollY);
  const around = Math.max(...cards.map((card) => card.bnvCard.around));
  const gaps = (rows + 1) * lengthOf(grid, "row-gap");
  const room = (innerHeight - Math.min(top, HIGHEST * innerHeight) - foot.offsetHeight - gaps) / rows - around;
  return Math.round(Math.min(Math.max(room, SHORTEST), rows === 1 ? TALLEST_ROW : TALLEST));
}
