// The status line: where the run stands, in words.

export const NO_CHARTS = "The charts could not be loaded. Everything else still works.";
export const NOT_DRAWN = "This chart could not be drawn. It will be tried again with the next frame.";
const WINDOW = 5000; // milliseconds over which the pace is measured

/** @import { End, Prediction, RunState } from "./protocol.js" */
/** @import { Store } from "./store.js" */

/**
 * @typedef {"connecting" | RunState | "reconnecting" | "lost"} PanelState
 *
 * @typedef {object} Details of a state
 * @property {number | null} [queue_position]
 * @property {number} [step]
 * @property {string} [reason]
 * @property {number} [seconds] until it is tried again
 *
 * @typedef {"" | "undecided" | "agrees" | "differs"} Outcome
 */

/** Steps, or shares of the work, a second over the last seconds. */
export class Pace {
  constructor() {
    /** @type {[now: number, step: number][]} */
    this.marks = [];
  }

  reset() {
    this.marks = [];
  }

  /**
   * @param {number} step
   * @param {number} now in milliseconds
   */
  add(step, now = performance.now()) {
    this.marks.push([now, step]);
    while (this.marks.length > 2 && now - this.marks[0][0] > WINDOW) this.marks.shift();
  }

  /** Steps a second, or null while there is too little to tell. */
  get steps() {
    if (this.marks.length < 2) return null;
    const [first, last] = [this.marks[0], this.marks[this.marks.length - 1]];
    return last[0] - first[0] > 200 && last[1] > first[1] ? (1000 * (last[1] - first[1])) / (last[0] - first[0]) : null;
  }
}

/**
 * @param {PanelState} state
 * @param {Details} details
 * @param {Store | null} store
 * @param {Pace} pace
 * @param {boolean} isSlow
 */
export function statusWords(state, details, store, pace, isSlow) {
  const { seconds = 0 } = details;
  /** @type {Record<PanelState, () => string>} */
  const words = {
    connecting: () => "Starting…",
    queued: () => queueWords(details.queue_position),
    running: () => progressWords(store, pace),
    finished: () => (shareOf(store) === null ? `Finished: ${count(details.step ?? 0, "step")}` : "Finished"),
    stopped: () => `Stopped at ${place(details, store)}${details.reason ? `: ${details.reason}` : ""}`,
    failed: () => `The run failed${details.step ? ` at ${place(details, store)}` : ""}${details.reason ? `: ${details.reason}` : ""}`,
    reconnecting: () => `Connection lost. Trying again ${seconds < 1 ? "now" : `in ${count(seconds, "second")}`}…`,
    lost: () => "The server no longer knows this run. Press Run again to see it.",
  };
  const slow = isSlow ? "Slow mode, a few updates a second: this host does not pass the live stream. " : "";
  return slow + words[state]();
}

/** @param {number | null} [position] */
function queueWords(position) {
  if (!position) return "Waiting for a free place…";
  return `Waiting in the queue: place ${position}`;
}

/** @type {(store: Store | null, pace: Pace) => string} */
function progressWords(store, pace) {
  if (!store || store.last < 0) return "Starting…";
  const speed = pace.steps;
  /** @type {(rest: number) => string[]} */
  const left = (rest) => (speed ? [`${count(Math.max(1, Math.round(rest / speed)), "second")} left`] : []);
  const done = shareOf(store);
  if (done !== null) return [percent(done), ...left(1 - done)].join(" · ");
  const step = store.steps[store.last];
  const { steps } = store.start;
  const parts = [Number.isFinite(steps) ? `Training: step ${step} of ${steps}` : `Training: step ${step}`];
  if (speed) parts.push(`${Number(speed.toPrecision(2))} steps/s`);
  if (Number.isFinite(steps)) parts.push(...left(steps - step));
  return parts.join(" · ");
}

/**
 * Which share of the work is done, where frames say so: of a study, whose stages each count their own steps.
 *
 * @param {Store | null} store
 */
function shareOf(store) {
  const done = store && store.last >= 0 ? store.frames[store.last].done : null;
  return typeof done === "number" && Number.isFinite(done) ? done : null;
}

/** @type {(details: Details, store: Store | null) => string} */
function place(details, store) {
  const done = shareOf(store);
  return done === null ? `step ${details.step ?? 0}` : percent(done);
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(100 * Math.min(Math.max(share, 0), 1))} %`;
}

/**
 * What became of the visitor's prediction; no outcome and no words when there was none, or while nothing is decided.
 *
 * @param {Prediction | null | undefined} prediction
 * @param {End | null} end
 * @returns {[Outcome, string]}
 */
export function predictionWords(prediction, end) {
  const predicted = prediction?.choices?.[prediction.predicted];
  if (!prediction || !predicted || !end || end.answer === undefined) return ["", ""];
  const said = `You predicted: ${sentence(predicted)}`;
  const answer = prediction.choices[end.answer ?? ""];
  if (!answer) return ["undecided", `${said} The data do not decide.`];
  if (end.answer === prediction.predicted) return ["agrees", `${said} The data agree.`];
  return ["differs", `${said} The data say: ${sentence(answer)}`];
}

/** @param {string} text */
function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** @type {(number: number, noun: string) => string} */
function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
