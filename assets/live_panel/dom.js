// Small helpers to make elements. Text from the server only ever goes through textContent.

/** @import { Style } from "./protocol.js" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element; of its attributes `text` is its text, those that begin with "on" listen, false and null are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | null | ((event: any) => void)>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = String(value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Set text only when it changes: no needless layout, no repeated announcement.
 *
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const SHAPES = {
  play: "M7 4l13 8-13 8z",
  pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  back: "M6 4h3v16H6zM20 4v16L9.5 12z",
  forward: "M15 4h3v16h-3zM4 4v16l10.5-8z",
  live: "M4 4v16l8-8zM12 4v16l8-8zM19 4h2v16h-2z",
  stop: "M5 5h14v14H5z",
  again: "M12 5V1L6.5 6 12 11V7.500a5 5 0 1 1-5 5H4.500A7.500 7.500 0 1 0 12 5z",
};

/** @typedef {keyof typeof SHAPES} IconName */

/** @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/**
 * A button with an icon and a name for those who do not see it.
 *
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} act
 */
export function button(name, label, act, text = "") {
  const element = make("button", { type: "button", class: `bnv-button bnv-${name}`, title: label, "aria-label": label, onclick: act }, icon(name));
  if (text) element.append(make("span", { text }));
  return element;
}

/**
 * A sample of how a style is drawn: a line in its colour and dash, with its symbol or thin without one; or an area.
 *
 * @param {Style} style
 */
export function sample(style, hasSymbol = false) {
  const svg = document.createElementNS(SVG, "svg");
  /** @param {Record<string, string | number>} attributes */
  const draw = (attributes) => {
    const path = document.createElementNS(SVG, "path");
    for (const [key, value] of Object.entries(attributes)) path.setAttribute(key, String(value));
    svg.append(path);
  };
  const isArea = ["area", "cross"].includes(style.dash);
  svg.setAttribute("viewBox", isArea ? "0 0 12 10" : "0 0 32 10");
  svg.setAttribute("class", `bnv-sample${isArea ? " bnv-area" : ""}`);
  svg.setAttribute("aria-hidden", "true");
  if (isArea) {
    draw({ d: "M1 0h10v10h-10z", fill: style.color, stroke: "currentColor", "stroke-width": 0.5 });
    if (style.dash === "cross") draw({ d: "M3.500 2.500l5 5M8.500 2.500l-5 5", stroke: "#fff", "stroke-width": 1.4 });
    return svg;
  }
  draw({ d: "M1 5h30", stroke: style.color, "stroke-width": style.symbol === "" ? 2 : 3.5, "stroke-dasharray": style.stroke });
  if (hasSymbol && style.shape) draw({ d: style.shape, fill: style.color });
  return svg;
}
