// One chart on its card. Two ways to draw a frame:
//   full  Plotly.react with all data: 7 to 17 ms; Plotly then knows the data (hover, zoom, export)
//   fast  the `d` of Plotly's own paths, through its own axes: under 1 ms
// While frames follow each other the fast way is taken; at rest, under the pointer, and when anything but the data
// changed, the full one. `isFast` is decided by comparing Plotly's paths with ours after a full draw, so a Plotly
// that draws differently is simply slower.

import { bandPieces, linePieces, ridgePieces, toArrays, toImage, toPath } from "./paths.js";
import { yRange } from "./store.js";

const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  responsive: false,
  doubleClick: "reset",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};
const PROJECTOR = 1700; // pixels of a window from which on text is larger; the same in panel.css
const TOLERANCE = 2; // pixels between Plotly's path and ours
const EMPTY_IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

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
    this.ranges.clear();
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
    const range = this.range(view);
    if (!full && this.elements && range === this.shownRange && this.fast(k, view)) this.stale = true;
    else await this.full(k, view, range);
    this.drawn = k;
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

  fast(k, view) {
    for (const { mark, line, fill, image } of this.elements) {
      if (mark.mark === "image") {
        if (image) setImage(image, this.image(mark, k, view));
        continue;
      }
      const axes = this.gd._fullLayout;
      const d = this.hiddenArms.has(mark.arm) ? "" : toPath(this.pieces(mark, k, view), axes.xaxis, axes.yaxis, mark.mark !== "line");
      if (d && !line && !fill) return false; // Plotly made no path for a series that was empty until now
      if (fill) fill.setAttribute("d", d || "M0,0");
      if (line && mark.mark !== "band") line.setAttribute("d", d || "M0,0");
    }
    return true;
  }

  async full(k, view, range) {
    this.shownRange = range;
    this.stale = false;
    const data = this.spec.figure.data.map((trace) => ({ ...trace }));
    const layout = this.layout(range);
    for (const mark of this.spec.marks) {
      if (mark.mark === "image") layout.images[mark.trace].source = this.image(mark, k, view);
      else if (this.hiddenArms.has(mark.arm)) data[mark.trace].visible = false;
      else Object.assign(data[mark.trace], toArrays(this.pieces(mark, k, view)));
    }
    await window.Plotly.react(this.gd, data, layout, CONFIG);
    this.listen();
    this.elements = this.find(k, view);
  }

  layout(range) {
    const layout = structuredClone(this.spec.figure.layout);
    const titles = this.spec.titles[this.viewKey] || {};
    layout.uirevision = this.store.start.run_id;
    layout.font = { color: this.theme.text, family: this.theme.font, size: 12 };
    if (innerWidth >= PROJECTOR) {
      layout.font.size = 15;
      for (const side of ["l", "t", "b"]) layout.margin[side] += 8;
    }
    layout.width = this.gd.clientWidth || undefined;
    layout.height = this.gd.clientHeight || undefined;
    if (this.theme.coarse) layout.dragmode = false; // a finger scrolls the page
    for (const [name, axis] of Object.entries(layout)) {
      if (/^[xy]axis/.test(name)) Object.assign(axis, { gridcolor: this.theme.grid, linecolor: this.theme.grid, tickcolor: this.theme.grid });
    }
    if (titles.x) layout.xaxis.title.text = titles.x;
    layout.yaxis.title.text = ""; // the card shows it
    layout.yaxis.type = this.isLog ? "log" : "linear";
    layout.yaxis.uirevision = `${layout.uirevision}:${this.viewKey}:${this.isLog}`;
    if (range) layout.yaxis.range = [...range];
    if (this.isLog && range) {
      const decades = range[1] - range[0];
      const tickfont = { size: layout.font.size - 2 }; // powers are set larger than other labels
      Object.assign(layout.yaxis, { dtick: Math.max(1, Math.ceil(decades / 6)), exponentformat: "power", nticks: 0, tickfont });
    }
    return layout;
  }

  pieces(mark, k, view) {
    const isAppend = this.spec.kind === "append";
    const series = isAppend ? view.series[mark.series] : view.series[k]?.[mark.series];
    if (!series) return [];
    if (mark.mark === "ridge") return ridgePieces(series, ...this.spec.figure.layout.xaxis.range);
    const x = isAppend ? this.store.steps : this.spec.x;
    const [low, high] = this.spec.figure.layout.xaxis.range;
    const dash = isAppend ? (high - low) * 0.006 : 0.25;
    const columns = mark.columns.map((column) => series[column] || []);
    const count = isAppend ? Math.min(k + 1, columns[0].length) : Math.min(x.length, columns[0].length);
    return mark.mark === "line" ? linePieces(x, columns[0], count, dash) : bandPieces(x, columns[0], columns[1], count, dash);
  }

  image(mark, k, view) {
    const packed = view.series[k]?.[mark.series];
    return packed ? toImage(packed, this.spec.palette) : EMPTY_IMAGE;
  }

  /** The SVG elements of every mark, or null when they are not where this Plotly's fast path expects them. */
  find(k, view) {
    const axes = this.gd._fullLayout;
    if (typeof axes?.xaxis?.c2p !== "function" || typeof axes?.yaxis?.c2p !== "function") return null;
    const images = this.gd.querySelectorAll(".imagelayer image");
    const found = this.spec.marks.map((mark) => {
      if (mark.mark === "image") return { mark, image: images[mark.trace] };
      const group = this.gd.querySelector(`.trace${this.spec.figure.data[mark.trace].uid}`);
      return { mark, line: group?.querySelector(".js-line"), fill: mark.mark === "line" ? null : group?.querySelector(".js-fill") };
    });
    const agrees = ({ mark, line, fill }) => {
      const theirs = (fill || line)?.getAttribute("d");
      const ours = toPath(this.pieces(mark, k, view), axes.xaxis, axes.yaxis, mark.mark !== "line");
      return !theirs || !ours || this.hiddenArms.has(mark.arm) || near(theirs, ours);
    };
    return found.every((entry) => entry.mark.mark === "image" || agrees(entry)) ? found : null;
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    const again = () => this.drawn >= 0 && this.draw(this.drawn);
    this.gd.on("plotly_relayout", again);
  }

  destroy() {
    if (this.gd._fullLayout) window.Plotly.purge(this.gd);
  }
}

function setImage(image, source) {
  image.setAttribute("href", source);
  image.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
}

function near(theirs, ours) {
  const first = (d) => (d.match(/-?[\d.]+/g) || []).slice(0, 2).map(Number);
  const [a, b] = [first(theirs), first(ours)];
  return a.length === 2 && b.length === 2 && Math.abs(a[0] - b[0]) <= TOLERANCE && Math.abs(a[1] - b[1]) <= TOLERANCE;
}
