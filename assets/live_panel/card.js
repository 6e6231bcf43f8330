// The card around one chart: title, selectors, plot, note, and how to read it.

import { make, sample, say } from "./dom.js";
import { yTitleOf } from "./layout.js";
import { Plot } from "./plot.js";
import { NOT_DRAWN } from "./words.js";

/** @import { Charts } from "./charts.js" */
/** @import { Chart, Selector, Style } from "./protocol.js" */
/** @import { Store } from "./store.js" */

const SYNC_PAUSE = 700; // milliseconds between two full drawings under the pointer

export class Card {
  /**
   * @param {Chart} spec
   * @param {Store} store
   * @param {Pick<Charts, "theme" | "wake">} charts
   */
  constructor(spec, store, charts) {
    this.spec = spec;
    this.store = store;
    this.charts = charts;
    this.draws = 0;
    this.synced = 0; // when Plotly was last told all data
    this.isVisible = false;
    this.isBroken = false;
    this.isUnderPointer = false;
    this.holder = make("div", { class: "bnv-plot" });
    this.empty = make("div", { class: "bnv-empty" });
    this.tools = make("div", { class: "bnv-tools" });
    this.title = make("h3");
    this.yTitle = make("span", { class: "bnv-ytitle" }); // above the axis, where it can be read without turning the head
    this.note = make("p", { class: "bnv-note" });
    this.how = make("p", { class: "bnv-how" });
    this.keys = make("div", { class: "bnv-keys" });
    this.caption = make("figcaption", {}, this.title, this.tools);
    this.element = make(
      "figure",
      { class: "bnv-card", "data-chart": spec.id, "data-draws": 0 },
      this.caption,
      this.keys,
      make("div", { class: "bnv-frame" }, this.holder, this.empty, make("div", { class: "bnv-above" }, this.yTitle, this.note)),
      this.how,
    );
    this.plot = new Plot(this.holder, charts.theme, spec, store);
    this.holder.addEventListener("pointerdown", () => (this.plot.held = true));
    this.holder.addEventListener("pointerenter", () => (this.isUnderPointer = true));
    this.holder.addEventListener("pointerleave", () => (this.isUnderPointer = false));
    this.element.bnvCard = this;
  }

  /**
   * Take the chart of a new run; choices that still exist are kept.
   *
   * @param {Chart} spec
   * @param {Store} store
   */
  reset(spec, store) {
    const kept = new Map(this.spec.selectors.map((selector) => [selector.name, selector.value]));
    for (const selector of spec.selectors) {
      const value = kept.get(selector.name);
      if (value !== undefined && selector.options.some((option) => option[0] === value)) selector.value = value;
    }
    this.spec = spec;
    this.store = store;
    this.plot.reset(spec, store);
    say(this.title, spec.title);
    say(this.how, spec.how);
    say(this.empty, spec.empty);
    this.sayNote("");
    this.showKeys(spec, store.start.arms);
    this.element.classList.toggle("bnv-wide", spec.wide);
    this.element.classList.toggle("bnv-tall", spec.tall);
    this.holder.setAttribute("role", "img");
    this.holder.setAttribute("aria-label", `${spec.title}. ${spec.how}`);
    this.tools.replaceChildren(...spec.selectors.map((selector) => this.selector(selector)));
  }

  /**
   * The chart's own legend: what the panel's legend does not show.
   *
   * @param {Chart} spec
   * @param {Style[]} arms
   */
  showKeys(spec, arms) {
    /** @type {(style: Style) => (arm: Style) => boolean} */
    const isSame = (style) => (arm) => arm.label === style.label && arm.color === style.color && arm.dash === style.dash;
    const hasSymbols = spec.marks.some((mark) => mark.mark === "points" || spec.figure.data[mark.trace]?.mode === "lines+markers");
    const keys = spec.legend.filter((style) => !arms.some(isSame(style)));
    this.keys.replaceChildren(...keys.map((style) => make("span", { class: "bnv-key" }, sample(style, hasSymbols), make("span", { text: style.label }))));
    this.keys.hidden = !keys.length;
  }

  /** @param {Selector} selector */
  selector(selector) {
    /** @param {string} value */
    const change = (value) => {
      selector.value = value;
      this.redraw();
    };
    const name = `${this.spec.title}: ${selector.label}`;
    if (selector.role === "scale") {
      const isPressed = () => String(selector.value === "log");
      const press = () => {
        change(selector.value === "log" ? "linear" : "log");
        toggle.setAttribute("aria-pressed", isPressed());
      };
      const toggle = make("button", { type: "button", class: "bnv-toggle", text: "log", title: selector.label, "aria-label": name, "aria-pressed": isPressed(), onclick: press });
      return toggle;
    }
    const options = selector.options.map(([value, label]) => make("option", { value, text: label, selected: value === selector.value }));
    const select = make("select", { "aria-label": name, onchange: () => change(select.value) }, ...options);
    return select;
  }

  /** Height of everything on the card but the plot, in pixels; two lines of reading help are reserved. */
  get around() {
    return this.caption.offsetHeight + this.keys.offsetHeight + Math.min(this.how.offsetHeight, 45) + 17;
  }

  /**
   * Whether another frame than the shown one is due.
   *
   * @param {number} k
   */
  isDue(k) {
    return k >= 0 && this.isVisible && this.plot.drawn !== k && !this.plot.held;
  }

  /**
   * Whether Plotly should be told the data that is shown: hover and zoom work on what Plotly knows.
   *
   * @param {boolean} atRest
   * @param {number} now
   */
  isStale(atRest, now) {
    return this.isVisible && this.plot.stale && !this.plot.held && (atRest || (this.isUnderPointer && now - this.synced > SYNC_PAUSE));
  }

  /** @param {number} k */
  draw(k, full = false) {
    if (full) this.synced = performance.now();
    this.plot.draw(k, full).then(() => this.isBroken !== Boolean(this.plot.error) && this.sayEmpty(k));
    this.element.dataset.draws = String(++this.draws);
    this.element.dataset.frame = String(k);
    say(this.yTitle, yTitleOf(this.spec));
    this.sayEmpty(k);
    this.sayNote(this.store.text(`${this.spec.id}:${this.plot.viewKey}`, k));
  }

  /**
   * What stands in the place of a chart without values, or of one that Plotly could not draw.
   *
   * @param {number} k
   */
  sayEmpty(k) {
    this.isBroken = Boolean(this.plot.error);
    this.element.classList.toggle("bnv-broken", this.isBroken);
    say(this.empty, this.isBroken ? NOT_DRAWN : this.spec.empty);
    this.empty.hidden = !this.isBroken && !this.store.isBlank(this.spec, this.plot.viewKey, k);
  }

  /** @param {string} text */
  sayNote(text) {
    say(this.note, text);
    if (this.note.title !== text) this.note.title = text;
  }

  /** Draw again in full: another view, theme, size or choice of arms. */
  redraw() {
    if (this.plot.drawn >= 0 && this.isVisible) this.draw(this.plot.drawn, true);
    else this.plot.drawn = -1;
    this.charts.wake();
  }
}
