// Following one run: its stream, or in slow mode what comes with the component's data, and what is asked of the server.

import { Store } from "./store.js";
import { Stream } from "./stream.js";

/** @import { Data, End, Frame, Slow, Start, States, Status, Triggers } from "./protocol.js" */
/** @import { Place } from "./store.js" */
/** @import { Details, PanelState } from "./words.js" */

/**
 * @typedef {object} Callbacks to the page
 * @property {<Name extends keyof States>(name: Name, value: States[Name]) => void} setStateValue
 * @property {<Name extends keyof Triggers>(name: Name, value: Triggers[Name]) => void} setTriggerValue
 *
 * @typedef {object} Viewer who is told of the run
 * @property {PanelState} state
 * @property {Details} details
 * @property {(state: PanelState, details?: Details) => void} setState
 * @property {() => void} begun another run is followed
 * @property {(store: Store, wasOver: boolean) => void} show a run whose first frame has come
 * @property {(frame: Frame) => void} received
 * @property {(end: End) => void} ended
 * @property {() => void} lost nobody knows the run any more
 */

const PATIENCE = 4000; // milliseconds that the page has to run again
const SHARED = "you stopped watching; others still watch this run";

export class Follower {
  /**
   * @param {Viewer} viewer
   * @param {URL | string} base address of the app
   * @param {Data} data
   * @param {Callbacks} callbacks
   */
  constructor(viewer, base, data, callbacks) {
    this.viewer = viewer;
    this.base = base;
    this.data = data;
    this.callbacks = callbacks;
    this.run = ""; // id and generation of what is followed
    this.told = ""; // the run of which the page was told that we have all
    this.isOver = false;
    this.isGone = false;
    this.isShown = false;
    this.wasOver = false; // before we came
    /** @type {Stream | null} */
    this.stream = null;
    /** @type {Store | null} shown from its first frame on: no blank charts in between */
    this.store = null;
    /** @type {Status | null} */
    this.status = null;
  }

  /**
   * Take what the page says anew; another run is followed from its start.
   *
   * @param {Data} data
   * @param {Callbacks} callbacks
   */
  take(data, callbacks) {
    this.data = data;
    this.callbacks = callbacks;
    const run = `${data.run_id}:${data.generation}`;
    if (run !== this.run) this.begin(run);
    if (data.slow) this.feed(data.slow);
  }

  /** @param {string} run */
  begin(run) {
    this.run = run;
    this.stream?.close();
    this.stream = null;
    this.store = null;
    this.status = null;
    this.isOver = false;
    this.viewer.begun();
    if (this.data.slow) return;
    const handlers = {
      status: this.took.bind(this),
      panel: this.started.bind(this),
      frame: this.received.bind(this),
      ended: this.ended.bind(this),
      lost: (/** @type {number} */ seconds) => this.viewer.setState("reconnecting", { seconds }),
      back: () => this.viewer.setState(this.status?.state || "connecting"),
      refused: this.refused.bind(this),
    };
    this.stream = new Stream(new URL(this.data.stream, this.base), handlers, () => (this.store ? this.store.last : -1));
  }

  /** @param {Status} status */
  took(status) {
    this.status = status;
    if (status.state === "queued" || status.state === "running") this.viewer.setState(status.state, status);
  }

  /** @param {Start} start */
  started(start) {
    if (this.store) return; // sent again when a connection resumes
    this.store = new Store(start);
    this.isShown = false;
    this.wasOver = Boolean(this.status && (this.status.cached || this.status.state === "finished"));
    if (this.viewer.state !== "queued") this.viewer.setState("running");
  }

  /**
   * A frame has come; tells the stream whether it is new.
   *
   * @param {Frame} frame
   * @returns {Place}
   */
  received(frame) {
    const place = this.store ? this.store.add(frame) : "gap";
    if (!this.store || place !== "new") return place;
    if (!this.isShown) {
      this.isShown = true;
      this.viewer.show(this.store, this.wasOver);
    }
    this.viewer.received(frame);
    return place;
  }

  /** @param {End} end */
  ended(end) {
    this.isOver = true;
    this.viewer.ended(end);
  }

  /**
   * The stream was refused: is the run unknown, do our routes not reach the browser, or is the server away for a while?
   *
   * @param {boolean} wasOpen
   */
  async refused(wasOpen) {
    const { stream } = this;
    const [status, health] = [await this.ask(this.data.run), wasOpen || (await this.ask(this.data.health))];
    if (stream !== this.stream) return; // another run by now
    if (status?.code === 404) {
      stream?.close();
      this.viewer.lost();
    } else if (!status && !health && navigator.onLine) {
      stream?.close();
      this.callbacks.setStateValue("unreachable", true);
    }
  }

  /**
   * What our API says of an address, with the code of its answer; null when it does not answer.
   *
   * @param {string} path
   * @returns {Promise<{ code: number, state?: string } | null>}
   */
  async ask(path) {
    const answer = await fetch(new URL(path, this.base)).catch(() => null);
    const isOurs = answer?.headers.get("content-type")?.includes("json");
    return isOurs ? { ...(await answer?.json()), code: answer?.status } : null;
  }

  /**
   * Slow mode: frames that came with the component's data; asks for those that are missing, and says when it has all.
   *
   * @param {Slow} slow
   */
  feed(slow) {
    if (slow.status) this.took(slow.status);
    if (slow.start) this.started(slow.start);
    if (!this.store && slow.frames.length) return this.askFrom(0);
    for (const frame of slow.frames) if (this.received(frame) === "gap") return this.askFrom((this.store?.last ?? -1) + 1);
    if (!slow.end) return;
    const held = this.store ? this.store.frames.length : 0;
    if (held < slow.count) return this.askFrom(held);
    if (!this.isOver) this.ended(slow.end);
    if (this.told !== this.run) this.callbacks.setStateValue("complete", (this.told = this.run));
  }

  /** @param {number} frame */
  askFrom(frame) {
    this.callbacks.setStateValue("resume_from", [frame, Math.random()]);
  }

  /** Stop the run; one that others watch goes on without us. */
  async stop() {
    const answer = await fetch(new URL(this.data.run, this.base), { method: "DELETE" }).catch(() => null);
    if (answer?.ok) return;
    if (answer?.status !== 409) return this.callbacks.setTriggerValue("stop", true); // no API here: ask the page
    this.stream?.close();
    this.ended({ state: "stopped", step: this.store?.steps.at(-1) ?? 0, reason: SHARED, verdict: "" });
  }

  runAgain() {
    const { run } = this;
    const { state, details } = this.viewer;
    this.callbacks.setTriggerValue("again", true);
    this.viewer.setState("connecting");
    setTimeout(() => run === this.run && !this.isGone && this.unanswered(() => this.viewer.setState(state, details)), PATIENCE);
  }

  /**
   * Nothing came of a press: follow a run that is under way, or load the page, which a server started anew does not know.
   *
   * @param {() => void} giveUp
   */
  async unanswered(giveUp) {
    const status = await this.ask(this.data.run);
    if (status?.state === "queued" || status?.state === "running") return this.begin(this.run);
    const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
    return answer?.ok ? location.reload() : giveUp(); // the address holds the settings; without a server the charts stay
  }

  close() {
    this.isGone = true;
    this.stream?.close();
  }
}
