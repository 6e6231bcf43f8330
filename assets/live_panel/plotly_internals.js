// Everything of Plotly's own that the panel touches beyond its public functions: where it keeps its axes, and the SVG
// elements that it draws. A Plotly that does it differently breaks this file alone; `agreement.js` notices.

/** Whether Plotly has drawn into a node. */
export function isDrawn(gd) {
  return Boolean(gd._fullLayout);
}

/** A trace's axes as functions from a value to a pixel of the plot, [x, y]; null when they are not there. */
export function scalesOf(gd, trace) {
  const axes = [trace.xaxis || "x", trace.yaxis || "y"].map((name) => gd._fullLayout?.[`${name[0]}axis${name.slice(1)}`]);
  return axes.every((axis) => typeof axis?.c2p === "function") ? axes.map((axis) => (value) => axis.c2p(value)) : null;
}

/** Width and height of the plot that a trace is drawn in, in pixels. */
export function sizeOf(gd, trace) {
  return [trace.xaxis || "x", trace.yaxis || "y"].map((name) => gd._fullLayout[`${name[0]}axis${name.slice(1)}`]._length);
}

/** What Plotly has drawn of a trace: a line for each of its pieces, one filled area, its markers. */
export function partsOf(gd, trace) {
  const group = gd.querySelector(`.trace${trace.uid}`);
  const all = (selector) => [...(group?.querySelectorAll(selector) || [])];
  return { lines: all(".js-line"), fill: all(".js-fill")[0] || null, points: all(".points path.point") };
}

/** The images of a layout, in its order. */
export function imagesOf(gd) {
  return gd.querySelectorAll(".imagelayer image");
}

/** Plotly's own attribute goes first: it is called href too, and setting href would only change it. */
export function setImage(image, source) {
  image.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
  image.setAttribute("href", source);
}

export function placeOf(point) {
  return (point.getAttribute("transform")?.match(/-?[\d.]+/g) || []).slice(0, 2).map(Number);
}

export function movePoint(point, [x, y]) {
  point.setAttribute("transform", `translate(${x.toFixed(1)},${y.toFixed(1)})`);
}
