// The status line: where the run stands, in words.

export const NO_CHARTS = "The charts could not be loaded. Everything else goes on.";
export const NOT_DRAWN = "This chart could not be drawn. It is tried again with the next frame.";
const WINDOW = 5000; // milliseconds over which the pace is measured

/** Steps, or shares of the work, a second over the last seconds. */
export class Pace {
  constructor() {
    this.reset();
  }

  reset() {
    this.marks = [];
  }

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

export function statusWords(state, details, store, pace, isSlow) {
  const words = {
    connecting: () => "Starting…",
    queued: () => queueWords(details.queue_position),
    running: () => progressWords(store, pace),
    finished: () => (isShare(store) ? "Finished" : `Finished: ${count(details.step ?? 0, "step")}`),
    stopped: () => `Stopped at ${place(details, store)}${details.reason ? `: ${details.reason}` : ""}`,
    failed: () => `The run failed${details.step ? ` at ${place(details, store)}` : ""}${details.reason ? `: ${details.reason}` : ""}`,
    reconnecting: () => `Connection lost. Trying again ${details.seconds < 1 ? "now" : `in ${count(details.seconds, "second")}`}…`,
    lost: () => "The server no longer knows this run. Press Run again to see it.",
  }[state];
  const slow = isSlow ? "Slow mode, a few updates a second: this host does not pass the live stream. " : "";
  return slow + (words ? words() : "");
}

function queueWords(position) {
  if (!position) return "Waiting for a free place…";
  return `Waiting in the queue: place ${position}`;
}

function progressWords(store, pace) {
  if (!store || store.last < 0) return "Starting…";
  const speed = pace.steps;
  const left = (rest) => `${count(Math.max(1, Math.round(rest / speed)), "second")} left`;
  if (isShare(store)) {
    const { done } = store.frames[store.last];
    return [percent(done), ...(speed ? [left(1 - done)] : [])].join(" · ");
  }
  const step = store.steps[store.last];
  const { steps } = store.start;
  const parts = [Number.isFinite(steps) ? `Training: step ${step} of ${steps}` : `Training: step ${step}`];
  if (speed) parts.push(`${Number(speed.toPrecision(2))} steps/s`);
  if (speed && Number.isFinite(steps)) parts.push(left(steps - step));
  return parts.join(" · ");
}

/** Whether frames say which share of the work is done: a study, whose stages each count their own steps. */
function isShare(store) {
  return Boolean(store && store.last >= 0 && Number.isFinite(store.frames[store.last].done));
}

function place(details, store) {
  return isShare(store) ? percent(store.frames[store.last].done) : `step ${details.step ?? 0}`;
}

function percent(share) {
  return `${Math.round(100 * Math.min(Math.max(share, 0), 1))} %`;
}

/** What became of the visitor's prediction: [outcome, words]; ["", ""] when there was none, or while nothing is decided. */
export function predictionWords(prediction, end) {
  const predicted = prediction?.choices?.[prediction.predicted];
  if (!predicted || !end || end.answer === undefined) return ["", ""];
  const said = `You predicted: ${sentence(predicted)}`;
  const answer = prediction.choices[end.answer];
  if (!answer) return ["undecided", `${said} The data do not decide.`];
  if (end.answer === prediction.predicted) return ["agrees", `${said} The data agree.`];
  return ["differs", `${said} The data say: ${sentence(answer)}`];
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
