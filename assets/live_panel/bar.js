// The playback bar: play, step, scrub, speed, live, stop; by mouse, touch and keyboard.

import { button, icon, make, say } from "./dom.js";
import { SPEEDS } from "./playback.js";

/** @import { Panel } from "./panel.js" */
/** @import { Store } from "./store.js" */
/** @import { PanelState } from "./words.js" */

export const KEYS_HELP = "Space plays and pauses, the left and right arrows step, Home and End go to the start and to the newest frame.";

export class Bar {
  /** @param {Pick<Panel, "playback" | "wake" | "stop" | "runAgain">} panel */
  constructor(panel) {
    this.panel = panel;
    const { playback } = panel;
    /** @type {(change: () => void) => () => void} */
    const act = (change) => () => {
      change();
      panel.wake();
    };
    this.play = button("play", "Play (space)", act(() => playback.toggle()));
    this.back = button("back", "Step back (left arrow)", act(() => playback.step(-1)));
    this.forward = button("forward", "Step forward (right arrow)", act(() => playback.step(1)));
    this.live = button("live", "Jump to the newest frame (End)", act(() => playback.jumpToLive()), "Live");
    this.slider = make("input", { type: "range", min: 0, max: 0, value: 0, class: "bnv-slider", "aria-label": "Frame shown" });
    this.slider.addEventListener("input", act(() => playback.seek(Number(this.slider.value))));
    const speeds = SPEEDS.map((speed) => make("option", { value: speed, text: `${speed}×`, selected: speed === 1 }));
    this.speed = make("select", { "aria-label": "Playback speed" }, ...speeds);
    this.speed.addEventListener("change", act(() => playback.setSpeed(Number(this.speed.value))));
    this.widest = 0; // characters of the longest words so far
    this.step = make("output", { class: "bnv-step" });
    this.stop = button("stop", "Stop the run", () => panel.stop(), "Stop");
    this.again = button("again", "Run again", () => panel.runAgain(), "Run again");
    this.element = make(
      "div",
      { class: "bnv-bar", role: "group", "aria-label": `Playback. ${KEYS_HELP}` },
      this.play, this.back, this.forward, this.slider, this.step, this.speed, this.live, this.stop, this.again,
    );
  }

  /**
   * Show where the playback stands.
   *
   * @param {Store} store
   * @param {PanelState} state
   */
  update(store, state) {
    const { playback } = this.panel;
    const name = playback.isPlaying ? "pause" : "play";
    if (this.play.dataset.shows !== name) {
      this.play.dataset.shows = name;
      this.play.replaceChildren(icon(name));
      for (const attribute of ["title", "aria-label"]) this.play.setAttribute(attribute, name === "play" ? "Play (space)" : "Pause (space)");
    }
    const words = playback.frame >= 0 ? (store.frames[playback.frame].at ?? `step ${store.steps[playback.frame]}`) : "";
    this.slider.max = String(Math.max(playback.count - 1, 0));
    if (this.slider.valueAsNumber !== playback.frame) this.slider.value = String(Math.max(playback.frame, 0));
    this.slider.setAttribute("aria-valuetext", words);
    this.slider.style.setProperty("--bnv-done", String(playback.count > 1 ? playback.frame / (playback.count - 1) : 0));
    this.sayWords(words);
    this.live.classList.toggle("bnv-on", playback.isLive && !playback.hasEnded);
    this.allow(state);
  }

  /**
   * Where the playback stands; room once taken is kept, so that the slider holds still.
   *
   * @param {string} words
   */
  sayWords(words) {
    if (this.step.textContent === words) return;
    say(this.step, words);
    this.widest = Math.max(this.widest, words.length);
    this.step.classList.toggle("bnv-long", this.widest > 10);
    this.step.style.minWidth = `${Math.min(this.widest, 30)}ch`;
  }

  /**
   * Offer what makes sense in this state; a run may fail before its first frame.
   *
   * @param {PanelState} state
   */
  allow(state) {
    this.stop.hidden = !["connecting", "queued", "running", "reconnecting"].includes(state);
    this.again.hidden = !["failed", "stopped", "lost"].includes(state);
    for (const element of [this.play, this.back, this.forward, this.slider]) element.disabled = this.panel.playback.count === 0;
  }
}

/**
 * Keys of the playback; those typed into a field, or that a button or select uses itself, are left alone.
 *
 * @param {KeyboardEvent} event
 * @param {Pick<Panel, "root" | "playback" | "wake">} panel
 */
export function onKey(event, panel) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = /** @type {Element} */ (event.target);
  const isInside = panel.root.contains(target);
  if (!isInside && target !== document.body) return;
  if (target.closest?.("select, textarea, [contenteditable=true], input:not(.bnv-slider)")) return;
  const isButton = target.closest?.("button, a, summary");
  const { playback } = panel;
  /** @type {Record<string, () => unknown>} gives false where the key is left alone */
  const moves = {
    " ": () => !isButton && playback.toggle(),
    ArrowLeft: () => playback.step(-1),
    ArrowRight: () => playback.step(1),
    Home: () => isInside && playback.seek(0),
    End: () => isInside && playback.jumpToLive(),
  };
  const move = moves[event.key];
  if (!move || playback.count === 0 || move() === false) return;
  event.preventDefault();
  panel.wake();
}
