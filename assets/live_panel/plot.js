// One chart on its card. Two ways to draw a frame:
//   full  Plotly.react with all data: 7 to 17 ms; Plotly then knows the data (hover, zoom, export)
//   fast  the `d` of Plotly's own paths, through its own axes: under 1 ms
// While frames follow each other the fast way is taken; at rest, under the pointer, and when anything but the data
// changed, the full one. After a full draw Plotly's paths are compared with ours, vertex by vertex: a Plotly that draws
// differently is simply slower.

import { samePath, samePlaces } from "./agreement.js";
import { EMPTY_IMAGE, GrowingMap, toImage } from "./images.js";
import { bandPieces, flagPieces, linePieces, pointPieces, rangePieces, ridgePieces, toArrays, toPath, toPixels } from "./paths.js";
import { lengthOf } from "./page.js";
import { imagesOf, isDrawn, movePoint, partsOf, placeOf, scalesOf, setImage, sizeOf } from "./plotly_internals.js";
import { yRange } from "./store.js";
import { fitTicks } from "./ticks.js";

const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  responsive: false,
  doubleClick: "reset",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};
const NO_PATH = "M0,0";
const FILLED = 0.5; // share of a following y axis below which it shrinks to the data

export class Plot {
  constructor(holder, theme) {
    this.gd = holder;
    this.theme = theme;
    this.drawn = -1; // the frame shown
    this.stale = false; // Plotly knows older data than is shown
    this.held = false; // the pointer is dragging: Plotly owns the picture
    this.ranges = new Map();
    this.hiddenArms = new Set();
  }

  /** Take the skeleton of a run; what is on the screen stays until the first frame is drawn. */
  reset(spec, store) {
    this.spec = spec;
    this.store = store;
    this.drawn = -1;
    this.elements = null;
    this.error = null; // of Plotly's last full drawing
    this.ranges.clear();
    this.maps = new Map();
  }

  get viewKey() {
    return this.spec.selectors.filter((selector) => selector.role === "view").map((selector) => selector.value).join("/");
  }

  get isLog() {
    const scale = this.spec.selectors.find((selector) => selector.role === "scale");
    return (scale ? scale.value : this.spec.figure.layout.yaxis.type) === "log";
  }

  /** Whether the holder has another size than the picture in it. */
  get isOutgrown() {
    const { layout } = this.gd;
    return Boolean(layout) && (layout.width !== this.gd.clientWidth || layout.height !== this.gd.clientHeight);
  }

  get yTitle() {
    return this.spec.titles[this.viewKey]?.y || this.spec.figure.layout.yaxis.title.text;
  }

  /** Draw frame k; `full` forces Plotly to know the data. */
  async draw(k, full = false) {
    const view = this.store.view(this.spec, this.viewKey);
    const range = this.spec.y.follow ? this.rangeAt(k, view) : this.range(view);
    if (!full && this.elements && range === this.shownRange && this.fast(k, view)) this.stale = true;
    else await this.full(k, view, range).then(() => (this.error = null), (error) => this.failed(error));
    this.drawn = k;
  }

  /** Plotly could not draw: the next frame is tried in full, and the other charts go on. */
  failed(error) {
    if (!this.error) console.warn(`${this.spec.id}:`, error);
    Object.assign(this, { error, elements: null, shownRange: undefined });
  }

  /** The y range, the same array until it grows. */
  range(view) {
    const key = `${this.viewKey}:${this.isLog}`;
    const before = this.ranges.get(key);
    const now = yRange(this.spec.y, view.extent, this.isLog, before);
    if (before && now && now[0] === before[0] && now[1] === before[1]) return before;
    this.ranges.set(key, now);
    return now;
  }

  /** The y range for frame k alone; the same array while its data still fit and fill half of it. */
  rangeAt(k, view) {
    const key = `${this.viewKey}:${this.isLog}`;
    const before = this.ranges.get(key);
    const extent = this.store.extentAt(this.spec, view, k);
    const now = yRange(this.spec.y, extent, this.isLog);
    if (!now) return before || null;
    const [low, high] = this.isLog ? now : [Math.max(extent.low, now[0]), Math.min(extent.high, now[1])];
    if (before && low >= before[0] && high <= before[1] && now[1] - now[0] > FILLED * (before[1] - before[0])) return before;
    this.ranges.set(key, now);
    return now;
  }

  /** Move what Plotly has drawn; false when that is not enough. */
  fast(k, view) {
    return this.elements.every((element) => this.move(element, k, view));
  }

  move({ mark, trace, image, lines, fill, points }, k, view) {
    if (isImage(mark)) {
      if (image) setImage(image, this.image(mark, k, view));
      return true;
    }
    const pieces = this.hiddenArms.has(mark.arm) ? [] : this.pieces(mark, k, view);
    const scales = scalesOf(this.gd, trace);
    if (this.hasPoints(mark) && !movePoints(points, toPixels(pieces, scales))) return false;
    if (hasNoPath(mark)) return true;
    const d = toPath(pieces, scales, mark.mark !== "line");
    if (d && !lines.length && !fill) return false; // Plotly made no path for a series that was empty until now
    if (fill) fill.setAttribute("d", d || NO_PATH);
    if (mark.mark !== "band") lines.forEach((line, index) => line.setAttribute("d", (!index && d) || NO_PATH)); // the first draws all pieces
    return true;
  }

  async full(k, view, range) {
    this.shownRange = range;
    this.stale = false;
    const data = this.spec.figure.data.map((trace) => ({ ...trace }));
    const layout = this.layout(range);
    for (const mark of this.spec.marks) {
      if (isImage(mark)) layout.images[mark.trace].source = this.image(mark, k, view);
      else if (this.hiddenArms.has(mark.arm)) data[mark.trace].visible = false;
      else Object.assign(data[mark.trace], toArrays(this.pieces(mark, k, view)));
    }
    await window.Plotly.react(this.gd, data, layout, CONFIG);
    this.listen();
    this.elements = layout.xaxis.range ? this.find(k, view) : null; // without, Plotly itself fits the axis
    for (const { mark, image } of this.elements || []) if (image && mark.mark === "columns") image.style.imageRendering = "pixelated"; // no blur
  }

  layout(range) {
    const layout = structuredClone(this.spec.figure.layout);
    const titles = this.spec.titles[this.viewKey] || {};
    layout.uirevision = this.store.start.run_id;
    const [size, room] = [lengthOf(this.gd, "--plot-font"), lengthOf(this.gd, "--plot-room")]; // larger for a projector
    layout.font = { color: this.theme.text, family: this.theme.font, size };
    for (const side of ["l", "t", "b"]) layout.margin[side] += room;
    layout.width = this.gd.clientWidth || undefined;
    layout.height = this.gd.clientHeight || undefined;
    if (this.theme.coarse) layout.dragmode = false; // a finger scrolls the page
    for (const [name, axis] of Object.entries(layout)) {
      if (/^[xy]axis/.test(name)) Object.assign(axis, { gridcolor: this.theme.grid, linecolor: this.theme.grid, tickcolor: this.theme.grid });
    }
    fitTicks(layout);
    const powers = { size: layout.font.size - 2 }; // set larger than other labels
    if (layout.xaxis.type === "log" && !layout.xaxis.ticktext) layout.xaxis.tickfont = powers;
    if (titles.x) layout.xaxis.title.text = titles.x;
    layout.yaxis.title.text = ""; // the card shows it
    layout.yaxis.type = this.isLog ? "log" : "linear";
    layout.yaxis.uirevision = `${layout.uirevision}:${this.viewKey}:${this.isLog}`;
    if (range) layout.yaxis.range = [...range];
    if (this.isLog && range) {
      const decades = range[1] - range[0];
      Object.assign(layout.yaxis, { dtick: Math.max(1, Math.ceil(decades / 6)), exponentformat: "power", nticks: 0, tickfont: powers });
    }
    return layout;
  }

  pieces(mark, k, view) {
    const isAppend = this.spec.kind === "append";
    const series = isAppend ? view.series[mark.series] : view.series[k]?.[mark.series];
    if (!series) return [];
    if (mark.mark === "ridge") return ridgePieces(series, this.store.cells, mark.height, this.spec.figure.layout.xaxis.range);
    const x = isMissing(mark.x) ? (isAppend ? this.store.steps : this.spec.x) : series[mark.x] || [];
    const columns = mark.columns.map((column) => series[column] || []);
    const count = Math.min(isAppend ? k + 1 : x.length, columns[0].length);
    if (mark.mark === "range") return rangePieces(x, columns, count, mark.offset, mark.width);
    if (mark.mark === "flag") return flagPieces(x, columns[0], count, mark.offset);
    if (mark.mark === "points") return pointPieces(x, columns[0], count, mark.offset);
    if (mark.mark === "band") return bandPieces(x, ...columns, count, this.widener(isAppend));
    return linePieces(x, columns[0], count, this.hasPoints(mark) ? null : this.widener(isAppend));
  }

  hasPoints(mark) {
    return Boolean(this.spec.figure.data[mark.trace]?.mode?.includes("markers"));
  }

  /** How a lone point becomes a short dash. */
  widener(isAppend) {
    const { range, type } = this.spec.figure.layout.xaxis;
    const [low, high] = range || [0, 1];
    const half = isAppend ? (high - low) * 0.006 : Math.min(0.25, (high - low) * 0.04);
    return type === "log" ? (x) => [x * 10 ** -half, x * 10 ** half] : (x) => [x - half, x + half];
  }

  image(mark, k, view) {
    if (mark.mark === "columns") return this.map(mark, k, view);
    const packed = view.series[k]?.[mark.series];
    return packed ? toImage(packed, this.spec.palette, this.store.cells, mark.rows) : EMPTY_IMAGE;
  }

  /** A growing map as of frame k; every view has canvases of its own. */
  map(mark, k, view) {
    const columns = view.series[mark.series]?.[mark.columns[0]];
    if (!columns) return EMPTY_IMAGE;
    const key = `${this.viewKey}:${mark.trace}`;
    if (!this.maps.has(key)) this.maps.set(key, new GrowingMap(mark.rows, this.spec.palette, this.store.cells, this.spec.figure.layout.xaxis.range));
    return this.maps.get(key).draw(columns, this.store.steps, k);
  }

  /** The SVG elements of every mark, or null when Plotly has not drawn where the fast way would. */
  find(k, view) {
    const images = imagesOf(this.gd);
    const found = this.spec.marks.map((mark) => {
      if (isImage(mark)) return { mark, image: images[mark.trace] };
      const trace = this.spec.figure.data[mark.trace];
      return { mark, trace, ...partsOf(this.gd, trace) };
    });
    return found.every((element) => this.agrees(element, k, view)) ? found : null;
  }

  agrees({ mark, trace, lines, fill, points }, k, view) {
    if (isImage(mark) || this.hiddenArms.has(mark.arm)) return true;
    const scales = scalesOf(this.gd, trace);
    if (!scales) return false;
    const pieces = this.pieces(mark, k, view);
    if (this.hasPoints(mark) && !samePlaces(points.map(placeOf), toPixels(pieces, scales))) return false;
    if (hasNoPath(mark)) return true;
    const ours = toPath(pieces, scales, mark.mark !== "line");
    const outline = lines.map((line) => line.getAttribute("d")).join("");
    const area = fill?.getAttribute("d") || "";
    const theirs = { line: [outline], band: [area] }[mark.mark] || [outline, area];
    return theirs.every((path) => samePath(path, ours, sizeOf(this.gd, trace)));
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    const again = () => this.drawn >= 0 && this.draw(this.drawn);
    this.gd.on("plotly_relayout", again);
  }

  destroy() {
    if (isDrawn(this.gd)) window.Plotly.purge(this.gd);
  }
}

const isMissing = (value) => value === null || value === undefined;

const hasNoPath = (mark) => mark.mark === "flag" || mark.mark === "points";

const isImage = (mark) => mark.mark === "image" || mark.mark === "columns";

/** Put Plotly's own markers at these pixels; false when it has drawn another number of them. */
function movePoints(points, pixels) {
  if (points.length !== pixels.length) return false;
  pixels.forEach((pixel, index) => movePoint(points[index], pixel));
  return true;
}
