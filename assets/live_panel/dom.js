// Small helpers to make elements. Text from the server only ever goes through textContent.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Set text only when it changes: no needless layout, no repeated announcement. */
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

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon and a name for those who do not see it. */
export function button(name, label, act, text = "") {
  const element = make("button", { type: "button", class: `bnv-button bnv-${name}`, title: label, "aria-label": label, onclick: act }, icon(name));
  if (text) element.append(make("span", { text }));
  return element;
}

/** A line sample in an arm's colour and dash. */
export function sample(arm) {
  const dashes = { dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "11 4", longdashdot: "11 3 2 3" };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 32 8");
  svg.setAttribute("class", "bnv-sample");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ d: "M1 4h30", stroke: arm.color, "stroke-width": 3.5, "stroke-dasharray": dashes[arm.dash] || "none" })) line.setAttribute(key, value);
  svg.append(line);
  return svg;
}
