// What the panel takes from the page: Plotly (one for the whole page) and the theme.

let plotly = null;

/** Load plotly.js once; resolves when window.Plotly is there. When it cannot be loaded, the next call asks for it anew. */
export function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve();
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
      script.src = url;
      document.head.append(script);
    }
  });
  return plotly;
}

/** A length of the style sheet, in pixels: a custom property, or a property such as `row-gap`. */
export function lengthOf(element, name) {
  return parseFloat(getComputedStyle(element).getPropertyValue(name));
}

/** Colours and font of the page's theme, and what the visitor's device prefers. */
export function readTheme(element) {
  const style = getComputedStyle(element);
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

function isDark(color) {
  const hex = color.match(/^#(..)(..)(..)/);
  const parts = hex ? hex.slice(1, 4).map((part) => parseInt(part, 16)) : (color.match(/[\d.]+/g) || [255, 255, 255]).slice(0, 3).map(Number);
  return 0.3 * parts[0] + 0.6 * parts[1] + 0.1 * parts[2] < 128;
}
