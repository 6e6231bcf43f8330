// The charts of a panel: their cards in a grid, and which of them is drawn next.

import { Card } from "./card.js";
import { make } from "./dom.js";
import { arrange, plotHeight } from "./grid.js";

/** @import { Theme } from "./page.js" */
/** @import { Chart } from "./protocol.js" */
/** @import { Store } from "./store.js" */

const DRAW_BUDGET = 8; // milliseconds of drawing in one animation frame

export class Charts {
  /**
   * @param {Theme} theme
   * @param {() => void} wake asks for an animation frame
   */
  constructor(theme, wake) {
    this.theme = theme;
    this.wake = wake;
    this.grid = make("div", { class: "bnv-grid" });
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.rows = 0;
    this.draws = 0;
    this.turn = -1; // of the cards, which are drawn in turn
    this.views = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "80px" });
  }

  /**
   * Put the charts of a run on the screen; those that were there stay.
   *
   * @param {Store} store
   */
  show(store) {
    const { charts } = store.start;
    for (const card of this.cards.values()) card.plot.hiddenArms = new Set();
    for (const [id, card] of this.cards) if (!charts.some((chart) => chart.id === id)) this.drop(id, card);
    charts.forEach((spec, place) => {
      const card = this.cards.get(spec.id) || this.add(spec, store);
      card.reset(spec, store);
      if (this.grid.children[place] !== card.element) this.grid.insertBefore(card.element, this.grid.children[place] || null);
    });
    this.rows = arrange(this.grid, charts, this.cards);
  }

  /**
   * @param {Chart} spec
   * @param {Store} store
   */
  add(spec, store) {
    const card = new Card(spec, store, this);
    this.cards.set(spec.id, card);
    this.grid.append(card.element);
    this.views.observe(card.element);
    return card;
  }

  /**
   * @param {string} id
   * @param {Card} card
   */
  drop(id, card) {
    this.views.unobserve(card.element);
    card.plot.destroy();
    card.element.remove();
    this.cards.delete(id);
  }

  /**
   * Choose the plots' height for the room that the window has.
   *
   * @param {HTMLElement} root of the panel
   * @param {HTMLElement} foot what stands below the charts
   */
  fit(root, foot) {
    const height = plotHeight(root, this.grid, foot, this.rows);
    if (height === null) root.style.removeProperty("--plot");
    else root.style.setProperty("--plot", `${height}px`);
  }

  /** @param {Set<number>} arms by their numbers */
  hide(arms) {
    for (const card of this.cards.values()) {
      card.plot.hiddenArms = arms;
      card.redraw();
    }
  }

  redraw() {
    for (const card of this.cards.values()) card.redraw();
  }

  /** Draw those anew whose room has changed. */
  redrawOutgrown() {
    for (const card of this.cards.values()) if (card.plot.isOutgrown) card.redraw();
  }

  /** The pointer holds no picture any more. */
  release() {
    for (const card of this.cards.values()) card.plot.held = false;
    this.wake();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  seen(entries) {
    for (const { target, isIntersecting } of entries) if (target.bnvCard) target.bnvCard.isVisible = isIntersecting;
    this.wake();
  }

  /**
   * Draw in turn what is due of frame k until the budget is spent; true when more is to do.
   *
   * @param {number} k
   * @param {boolean} atRest
   * @param {number} now
   */
  draw(k, atRest, now) {
    if (!window.Plotly) return false;
    const begun = performance.now();
    const cards = [...this.cards.values()];
    for (let i = 0; i < cards.length; i++) {
      const card = cards[(this.turn = (this.turn + 1) % cards.length)];
      if (card.isDue(k)) card.draw(k);
      else if (card.isStale(atRest, now)) card.draw(k, true);
      else continue;
      this.draws++;
      if (performance.now() - begun > DRAW_BUDGET) break;
    }
    return cards.some((card) => card.isDue(k) || card.isStale(atRest, now));
  }

  destroy() {
    this.views.disconnect();
    for (const card of this.cards.values()) card.plot.destroy();
  }
}
