// One chart on its card. Two ways to draw a frame:
//   full  Plotly.react with all data: 7 to 17 ms; Plotly then knows the data (hover, zoom, export)
//   fast  the `d` of Plotly's own paths, through its own axes: under 1 ms
// While frames follow each other the fast way is taken; at rest, under the pointer, and when anything but the data
// changed, the full one. After a full draw Plotly's paths are compared with ours, vertex by vertex: a Plotly that draws
// differently is simply slower.

import { samePath, samePlaces } from "./agreement.js";
import { EMPTY_IMAGE, GrowingMap, toImage } from "./images.js";
import { isLogOf, layoutOf, viewKeyOf } from "./layout.js";
import { hasNoPath, hasPoints, isImage, piecesOf, xRange } from "./marks.js";
import { lengthOf } from "./page.js";
import { toArrays, toPath, toPixels } from "./paths.js";
import { imagesOf, isDrawn, movePoint, partsOf, placeOf, scalesOf, setImage, sizeOf } from "./plotly_internals.js";
import { Ranges } from "./ranges.js";

/** @import { Place } from "./agreement.js" */
/** @import { Theme } from "./page.js" */
/** @import { GraphDiv } from "./plotly.js" */
/** @import { Chart, Mark, Trace } from "./protocol.js" */
/** @import { Range } from "./ranges.js" */
/** @import { Store, View } from "./store.js" */

/**
 * @typedef {object} Drawn the SVG elements of one mark: of a trace, or of an image of the layout
 * @property {Mark} mark
 * @property {Trace | null} trace null for an image
 * @property {SVGImageElement | null} image
 * @property {Element[]} lines
 * @property {Element | null} fill
 * @property {Element[]} points
 */

const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  responsive: false,
  doubleClick: "reset",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};
const NO_PATH = "M0,0";

export class Plot {
  /**
   * @param {HTMLElement} holder
   * @param {Theme} theme
   * @param {Chart} spec
   * @param {Store} store
   */
  constructor(holder, theme, spec, store) {
    this.gd = /** @type {GraphDiv} */ (holder);
    this.theme = theme;
    this.spec = spec;
    this.store = store;
    this.drawn = -1; // the frame shown
    this.stale = false; // Plotly knows older data than is shown
    this.held = false; // the pointer is dragging: Plotly owns the picture
    this.ranges = new Ranges();
    /** @type {Range | null | undefined} */
    this.shownRange = undefined;
    /** @type {Set<number>} */
    this.hiddenArms = new Set();
    /** @type {Drawn[] | null} what the fast way moves; null when it may not */
    this.elements = null;
    /** @type {unknown} of Plotly's last full drawing */
    this.error = null;
    /** @type {Map<string, GrowingMap>} */
    this.maps = new Map();
    this.listening = false;
  }

  /**
   * Take the skeleton of a run; what is on the screen stays until the first frame is drawn.
   *
   * @param {Chart} spec
   * @param {Store} store
   */
  reset(spec, store) {
    this.spec = spec;
    this.store = store;
    this.drawn = -1;
    this.elements = null;
    this.error = null;
    this.ranges.clear();
    this.maps.clear();
  }

  get viewKey() {
    return viewKeyOf(this.spec);
  }

  /** Whether the holder has another size than the picture in it. */
  get isOutgrown() {
    const { layout } = this.gd;
    return Boolean(layout) && (layout?.width !== this.gd.clientWidth || layout?.height !== this.gd.clientHeight);
  }

  /**
   * Draw frame k; `full` forces Plotly to know the data.
   *
   * @param {number} k
   */
  async draw(k, full = false) {
    const view = this.store.view(this.spec, this.viewKey);
    const range = this.range(k, view);
    if (!full && this.elements && range === this.shownRange && this.fast(this.elements, k, view)) this.stale = true;
    else await this.full(k, view, range).then(() => (this.error = null), (error) => this.failed(error));
    this.drawn = k;
  }

  /**
   * Plotly could not draw: the next frame is tried in full, and the other charts go on.
   *
   * @param {unknown} error
   */
  failed(error) {
    if (!this.error) console.warn(`${this.spec.id}:`, error);
    this.error = error;
    this.elements = null;
    this.shownRange = undefined;
  }

  /**
   * The y range, the same array until it changes: of all frames so far, or of frame k alone where the axis follows.
   *
   * @param {number} k
   * @param {View} view
   */
  range(k, view) {
    const { spec } = this;
    const isLog = isLogOf(spec);
    const key = `${this.viewKey}:${isLog}`;
    if (!spec.y.follow) return this.ranges.grown(key, spec.y, view.extent, isLog);
    return this.ranges.following(key, spec.y, this.store.extentAt(spec, view, k), isLog);
  }

  /**
   * Move what Plotly has drawn; false when that is not enough.
   *
   * @param {Drawn[]} elements
   * @param {number} k
   * @param {View} view
   */
  fast(elements, k, view) {
    return elements.every((element) => this.move(element, k, view));
  }

  /**
   * @param {Drawn} element
   * @param {number} k
   * @param {View} view
   */
  move({ mark, trace, image, lines, fill, points }, k, view) {
    if (!trace) {
      if (image) setImage(image, this.image(mark, k, view));
      return true;
    }
    const pieces = this.pieces(mark, k, view);
    const scales = scalesOf(this.gd, trace);
    if (!scales || (hasPoints(this.spec, mark) && !movePoints(points, toPixels(pieces, scales)))) return false;
    if (hasNoPath(mark)) return true;
    const d = toPath(pieces, scales, mark.mark !== "line");
    if (d && !lines.length && !fill) return false; // Plotly made no path for a series that was empty until now
    if (fill) fill.setAttribute("d", d || NO_PATH);
    if (mark.mark !== "band") lines.forEach((line, index) => line.setAttribute("d", (!index && d) || NO_PATH)); // the first draws all pieces
    return true;
  }

  /**
   * @param {number} k
   * @param {View} view
   * @param {Range | null} range
   */
  async full(k, view, range) {
    this.shownRange = range;
    this.stale = false;
    const data = this.spec.figure.data.map((trace) => ({ ...trace }));
    const layout = this.layout(range);
    for (const mark of this.spec.marks) {
      const image = layout.images?.[mark.trace];
      if (isImage(mark)) Object.assign(image || {}, { source: this.image(mark, k, view) });
      else if (this.isHidden(mark)) data[mark.trace].visible = false;
      else Object.assign(data[mark.trace], toArrays(this.pieces(mark, k, view)));
    }
    await window.Plotly?.react(this.gd, data, layout, CONFIG);
    this.listen();
    this.elements = layout.xaxis.range ? this.find(k, view) : null; // without, Plotly itself fits the axis
    for (const { mark, image } of this.elements || []) if (image && mark.mark === "columns") image.style.imageRendering = "pixelated"; // no blur
  }

  /** @param {Range | null} range */
  layout(range) {
    const [font, room] = [lengthOf(this.gd, "--plot-font"), lengthOf(this.gd, "--plot-room")];
    const place = { width: this.gd.clientWidth, height: this.gd.clientHeight, font, room };
    return layoutOf(this.spec, this.store.start.run_id, range, this.theme, place);
  }

  /** @param {Mark} mark */
  isHidden(mark) {
    return mark.arm !== null && this.hiddenArms.has(mark.arm);
  }

  /**
   * @param {Mark} mark
   * @param {number} k
   * @param {View} view
   */
  pieces(mark, k, view) {
    return this.isHidden(mark) ? [] : piecesOf(this.spec, this.store, mark, k, view);
  }

  /**
   * @param {Mark} mark
   * @param {number} k
   * @param {View} view
   */
  image(mark, k, view) {
    if (mark.mark === "columns") return this.map(mark, k, view);
    const packed = /** @type {string | undefined} */ (view.frames[k]?.[mark.series]);
    return packed ? toImage(packed, this.spec.palette, this.store.cells, mark.rows) : EMPTY_IMAGE;
  }

  /**
   * A growing map as of frame k; every view has canvases of its own.
   *
   * @param {Mark} mark
   * @param {number} k
   * @param {View} view
   */
  map(mark, k, view) {
    const columns = /** @type {(string | null)[] | undefined} */ (view.series[mark.series]?.[mark.columns[0]]);
    if (!columns) return EMPTY_IMAGE;
    const key = `${this.viewKey}:${mark.trace}`;
    const map = this.maps.get(key) || new GrowingMap(mark.rows, this.spec.palette, this.store.cells, xRange(this.spec));
    this.maps.set(key, map);
    return map.draw(columns, this.store.steps, k);
  }

  /**
   * The SVG elements of every mark, or null when Plotly has not drawn where the fast way would.
   *
   * @param {number} k
   * @param {View} view
   */
  find(k, view) {
    const images = imagesOf(this.gd);
    const found = this.spec.marks.map((mark) => {
      if (isImage(mark)) return { mark, trace: null, image: images[mark.trace] || null, lines: [], fill: null, points: [] };
      const trace = this.spec.figure.data[mark.trace];
      return { mark, trace, image: null, ...partsOf(this.gd, trace) };
    });
    return found.every((element) => this.agrees(element, k, view)) ? found : null;
  }

  /**
   * @param {Drawn} element
   * @param {number} k
   * @param {View} view
   */
  agrees({ mark, trace, lines, fill, points }, k, view) {
    if (!trace || this.isHidden(mark)) return true;
    const scales = scalesOf(this.gd, trace);
    if (!scales) return false;
    const pieces = this.pieces(mark, k, view);
    if (hasPoints(this.spec, mark) && !samePlaces(points.map(placeOf), toPixels(pieces, scales))) return false;
    if (hasNoPath(mark)) return true;
    const ours = toPath(pieces, scales, mark.mark !== "line");
    const outline = lines.map((line) => line.getAttribute("d")).join("");
    const area = fill?.getAttribute("d") || "";
    const theirs = mark.mark === "line" ? [outline] : mark.mark === "band" ? [area] : [outline, area];
    const size = sizeOf(this.gd, trace);
    return theirs.every((path) => samePath(path, ours, size));
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.gd.on("plotly_relayout", () => {
      if (this.drawn >= 0) this.draw(this.drawn);
    });
  }

  destroy() {
    if (isDrawn(this.gd)) window.Plotly?.purge(this.gd);
  }
}

/**
 * Put Plotly's own markers at these pixels; false when it has drawn another number of them.
 *
 * @param {Element[]} points
 * @param {Place[]} pixels
 */
function movePoints(points, pixels) {
  if (points.length !== pixels.length) return false;
  pixels.forEach((pixel, index) => movePoint(points[index], pixel));
  return true;
}
