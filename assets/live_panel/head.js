// What stands above the charts: the verdict, what became of the prediction, who diverged, the arms and their proof.

import { make, sample, say } from "./dom.js";
import { predictionWords } from "./words.js";

/** @import { End, Prediction, Proof, Start, Style } from "./protocol.js" */

const VERDICT_PAUSE = 500; // milliseconds between two sentences: a sentence must be readable

export class Head {
  /** @param {(hidden: Set<number>) => void} hide the arms of these numbers, and no others */
  constructor(hide) {
    this.hide = hide;
    this.saidAt = 0; // when the verdict last changed
    this.verdict = make("p", { class: "bnv-verdict", role: "status", "aria-live": "polite" });
    this.prediction = make("p", { class: "bnv-prediction", role: "status", "aria-live": "polite" });
    this.diverged = make("p", { class: "bnv-diverged" });
    this.legend = make("div", { class: "bnv-legend", role: "group", "aria-label": "Legend: press a name to hide or show it" });
    this.proof = make("details", { class: "bnv-proof" });
    this.row = make("div", { class: "bnv-row" }, this.legend, this.proof);
    this.element = make("div", { class: "bnv-head" }, this.verdict, this.prediction, this.diverged, this.row);
  }

  /**
   * Show the arms of a run, none of them hidden; its first verdict is said at once.
   *
   * @param {Start} start
   */
  reset({ arms, band, proof }) {
    this.saidAt = 0;
    /** @type {Set<number>} */
    const hidden = new Set();
    const chips = arms.map((arm, index) => this.chip(arm, index, hidden));
    this.legend.replaceChildren(...chips, make("span", { class: "bnv-band", text: band }));
    this.showProof(proof);
    this.row.hidden = !chips.length && !band && this.proof.hidden;
  }

  /**
   * A button that hides or shows an arm.
   *
   * @param {Style} arm
   * @param {number} index
   * @param {Set<number>} hidden
   */
  chip(arm, index, hidden) {
    const press = () => {
      if (!hidden.delete(index)) hidden.add(index);
      chip.setAttribute("aria-pressed", String(!hidden.has(index)));
      this.hide(hidden);
    };
    const chip = make("button", { type: "button", class: "bnv-chip", "aria-pressed": "true", title: "Hide or show", onclick: press }, sample(arm), make("span", { text: arm.label }));
    return chip;
  }

  /** @param {Proof} proof */
  showProof({ twins, text, rows }) {
    this.proof.hidden = !text; // a study has none
    if (!text) return;
    const summary = make("summary", { text: `${twins ? "✓ " : ""}${text}`, title: "Hashes of every trial" });
    this.proof.replaceChildren(summary, ...rows.map((row) => make("p", { text: row })));
  }

  /**
   * What became of the visitor's prediction.
   *
   * @param {Prediction | null | undefined} prediction
   * @param {End | null} end null until it is shown
   */
  sayPrediction(prediction, end) {
    const [outcome, words] = predictionWords(prediction, end);
    this.prediction.dataset.outcome = outcome;
    say(this.prediction, words);
  }

  /**
   * The sentence, at a pace that can be read; true while a newer one waits.
   *
   * @param {string} text
   * @param {boolean} isLast which is said at once
   * @param {number} now
   */
  sayVerdict(text, isLast, now) {
    if (text === this.verdict.textContent) return false;
    if (!isLast && now - this.saidAt < VERDICT_PAUSE) return true;
    this.saidAt = now;
    say(this.verdict, text);
    return false;
  }
}
