// The live panel: one run, its charts, and the playback that moves them together.

import { Bar, KEYS_HELP, onKey } from "./bar.js";
import { Charts } from "./charts.js";
import { make, say } from "./dom.js";
import { Follower } from "./follow.js";
import { Head } from "./head.js";
import { Playback } from "./playback.js";
import { loadPlotly, readTheme } from "./page.js";
import { NO_CHARTS, Pace, statusWords } from "./words.js";

/** @import { Callbacks } from "./follow.js" */
/** @import { Data, End, Frame } from "./protocol.js" */
/** @import { Store } from "./store.js" */
/** @import { Details, PanelState } from "./words.js" */

const SETTLED = 120; // milliseconds without a change of size after which is drawn anew
const RELEASES = ["pointerup", "pointercancel"];

export class Panel {
  /**
   * @param {HTMLElement} parent
   * @param {URL | string} base address of the app
   * @param {Data} data
   * @param {Callbacks} callbacks
   */
  constructor(parent, base, data, callbacks) {
    this.base = base;
    this.data = data;
    this.follower = new Follower(this, base, data, callbacks);
    /** @type {Store | null} of the run on the screen */
    this.store = null;
    /** @type {End | null} of the run on the screen */
    this.end = null;
    this.playback = new Playback();
    this.pace = new Pace();
    this.theme = readTheme(parent);
    this.mounts = 0; // calls of `mount`
    this.isGone = false;
    this.request = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resizeTimer = undefined;
    /** @type {Promise<void> | null} */
    this.plotly = null;
    /** @type {PanelState} */
    this.state = "connecting";
    /** @type {Details} */
    this.details = {};

    this.charts = new Charts(this.theme, () => this.wake());
    this.head = new Head((hidden) => this.charts.hide(hidden));
    this.bar = new Bar(this);
    this.status = make("p", { class: "bnv-status" });
    this.announcer = make("p", { class: "bnv-announcer", role: "status", "aria-live": "polite" });
    const again = make("button", { type: "button", class: "bnv-button", text: "Try again", onclick: () => this.load() });
    this.missing = make("div", { class: "bnv-missing", role: "alert", hidden: true }, make("span", { text: NO_CHARTS }), again);
    this.foot = make("div", { class: "bnv-foot" }, this.status, this.bar.element);
    this.root = make("section", { class: "bnv-panel", tabindex: 0, "aria-label": `Live charts. ${KEYS_HELP}` }, this.head.element, this.missing, this.charts.grid, this.foot, this.announcer);
    parent.append(this.root);

    this.loop = this.loop.bind(this);
    this.resized = this.resized.bind(this);
    this.release = this.charts.release.bind(this.charts);
    this.keys = (/** @type {KeyboardEvent} */ event) => onKey(event, this);
    this.resizes = new ResizeObserver(this.resized);
    this.resizes.observe(this.charts.grid);
    addEventListener("resize", this.resized);
    document.addEventListener("keydown", this.keys);
    for (const name of RELEASES) document.addEventListener(name, this.release);
  }

  /**
   * Called on every change of the component's data or theme.
   *
   * @param {Data} data
   * @param {Callbacks} callbacks
   */
  update(data, callbacks) {
    this.data = data;
    const theme = readTheme(this.root);
    if (JSON.stringify(theme) !== JSON.stringify(this.theme)) {
      Object.assign(this.theme, theme);
      this.charts.redraw();
    }
    this.plotly ||= this.load();
    this.follower.take(data, callbacks);
    this.sayPrediction();
  }

  /** Plotly for the charts; without it all else goes on, and it can be asked for again. */
  load() {
    /** @param {boolean} isMissing */
    const tell = (isMissing) => {
      this.missing.hidden = !isMissing;
      this.charts.grid.classList.toggle("bnv-chartless", isMissing);
    };
    tell(false);
    return loadPlotly(new URL(this.data.plotly, this.base)).then(() => this.wake(), () => tell(true));
  }

  /** Another run is followed; the one on the screen stays until the first frame. */
  begun() {
    this.setState("connecting");
    this.pace.reset();
  }

  /**
   * Put a run on the screen: its arms, its charts, the playback at its start.
   *
   * @param {Store} store
   * @param {boolean} wasOver before we came
   */
  show(store, wasOver) {
    this.store = store;
    this.end = null;
    this.playback.reset();
    if (wasOver) this.playback.replay(this.data.autoplay && !this.theme.still);
    this.head.reset(store.start);
    this.charts.show(store);
    this.charts.fit(this.root, this.foot);
  }

  /** @param {Frame} frame */
  received(frame) {
    this.pace.add(frame.done ?? frame.step);
    this.playback.received(frame.frame + 1);
    if (this.state !== "running" && this.state !== "finished") this.setState("running");
    this.wake();
  }

  /** @param {End} end */
  ended(end) {
    this.end = end;
    this.setState(end.state, end);
    this.playback.ended();
    this.wake();
  }

  lost() {
    this.playback.ended();
    this.setState("lost");
  }

  stop() {
    return this.follower.stop();
  }

  runAgain() {
    this.follower.runAgain();
  }

  /**
   * @param {PanelState} state
   * @param {Details} details
   */
  setState(state, details = {}) {
    const before = this.state;
    this.state = state;
    this.details = details;
    this.root.dataset.state = state;
    this.bar.allow(state);
    this.writeStatus();
    if (before !== state && state !== "connecting") say(this.announcer, this.status.textContent);
    this.wake();
  }

  writeStatus() {
    say(this.status, statusWords(this.state, this.details, this.follower.store, this.pace, Boolean(this.data.slow)));
  }

  /** Draw anew when the plots' size has changed, once it has settled. */
  resized() {
    clearTimeout(this.resizeTimer);
    this.resizeTimer = setTimeout(() => {
      this.charts.fit(this.root, this.foot);
      this.charts.redrawOutgrown();
    }, SETTLED);
  }

  /** Ask for an animation frame; nothing runs while nothing moves. */
  wake() {
    this.request ||= requestAnimationFrame(this.loop);
  }

  /** @param {number} now */
  loop(now) {
    this.request = 0;
    const { store } = this;
    if (!store || this.isGone) return;
    this.playback.advance(now);
    const k = this.playback.frame;
    const atRest = !this.playback.isMoving && (!this.playback.isLive || this.playback.hasEnded);
    const isBusy = this.charts.draw(k, atRest, now);
    this.note("draws", this.charts.draws);
    this.note("frame", k);
    this.note("frames", this.playback.count);
    this.bar.update(store, this.state);
    this.writeStatus();
    this.sayPrediction();
    const isWaiting = this.sayVerdict(store, k, now);
    if (isBusy || isWaiting || this.playback.isMoving) this.wake();
  }

  /**
   * A number for whoever watches the panel from outside.
   *
   * @param {string} name
   * @param {number} value
   */
  note(name, value) {
    if (this.root.dataset[name] !== String(value)) this.root.dataset[name] = String(value);
  }

  /** What became of the visitor's prediction; said once the end is shown. */
  sayPrediction() {
    const isLast = this.playback.count > 0 && this.playback.frame === this.playback.count - 1;
    this.head.sayPrediction(this.data.prediction, isLast ? this.end : null);
  }

  /**
   * The sentences as of the frame shown; true while a newer verdict waits.
   *
   * @param {Store} store
   * @param {number} k
   * @param {number} now
   */
  sayVerdict(store, k, now) {
    const last = k === this.playback.count - 1 ? this.end : null;
    say(this.head.diverged, store.text("diverged", k));
    return this.head.sayVerdict(last?.verdict || store.text("verdict", k), Boolean(last), now);
  }

  destroy() {
    this.isGone = true;
    this.follower.close();
    this.resizes.disconnect();
    removeEventListener("resize", this.resized);
    document.removeEventListener("keydown", this.keys);
    for (const name of RELEASES) document.removeEventListener(name, this.release);
    clearTimeout(this.resizeTimer);
    cancelAnimationFrame(this.request);
    this.charts.destroy();
    this.root.remove();
  }
}
