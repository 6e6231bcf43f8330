// What the panel takes from the page: Plotly (one for the whole page) and the theme.

/**
 * @typedef {object} Theme
 * @property {string} text colour
 * @property {string} grid colour
 * @property {string} font
 * @property {boolean} still no movement that nobody asked for
 * @property {boolean} coarse a finger points
 */

/** @type {Promise<void> | null} */
let plotly = null;

/**
 * Load plotly.js once; resolves when window.Plotly is there. When it cannot be loaded, the next call asks for it anew.
 *
 * @param {URL} url
 * @returns {Promise<void>}
 */
export function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve();
  /** @type {HTMLScriptElement} */
  const script = document.querySelector("script[data-bnv-plotly]") || document.createElement("script");
  plotly ||= new Promise((resolve, reject) => {
    const fail = () => {
      plotly = null;
      script.remove();
      reject(new Error("plotly.js could not be loaded"));
    };
    script.addEventListener("load", () => (window.Plotly ? resolve() : fail())); // some networks answer with a page of their own
    script.addEventListener("error", fail);
    if (!script.src) {
      script.src = url.href;
      document.head.append(script);
    }
  });
  return plotly;
}

/**
 * A length of the style sheet, in pixels: a custom property, or a property such as `row-gap`.
 *
 * @param {Element} element
 * @param {string} name
 */
export function lengthOf(element, name) {
  return parseFloat(getComputedStyle(element).getPropertyValue(name));
}

/**
 * Colours and font of the page's theme, and what the visitor's device prefers.
 *
 * @param {Element} element
 * @returns {Theme}
 */
export function readTheme(element) {
  const style = getComputedStyle(element);
  /** @type {(name: string, fallback: string) => string} */
  const take = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const text = take("--st-text-color", style.color);
  return {
    text,
    grid: isDark(take("--st-background-color", "#ffffff")) ? "rgba(255,255,255,0.14)" : "rgba(0,0,0,0.1)",
    font: take("--st-font", "sans-serif"),
    still: matchMedia("(prefers-reduced-motion: reduce)").matches,
    coarse: matchMedia("(pointer: coarse)").matches,
  };
}

/** @param {string} color as #rrggbb or rgb(...) */
export function isDark(color) {
  const hex = color.match(/^#(..)(..)(..)/);
  const parts = hex ? hex.slice(1, 4).map((part) => parseInt(part, 16)) : (color.match(/[\d.]+/g) || [255, 255, 255]).slice(0, 3).map(Number);
  return 0.3 * parts[0] + 0.6 * parts[1] + 0.1 * parts[2] < 128;
}
