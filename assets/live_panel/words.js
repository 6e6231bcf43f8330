// The status line: where the run stands, in words.

const WINDOW = 3000; // milliseconds over which the pace is measured

/** Steps a second over the last seconds. */
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
    finished: () => `Finished: ${count(details.step, "step")}`,
    stopped: () => `Stopped at step ${details.step}${details.reason ? `: ${details.reason}` : ""}`,
    failed: () => `The run failed${details.step ? ` at step ${details.step}` : ""}${details.reason ? `: ${details.reason}` : ""}`,
    reconnecting: () => `Connection lost. Trying again ${details.seconds < 1 ? "now" : `in ${count(details.seconds, "second")}`}…`,
    lost: () => "The server no longer knows this run. Run it again to see it.",
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
  const step = store.steps[store.last];
  const parts = [`Training: step ${step} of ${store.start.steps}`];
  const speed = pace.steps;
  if (speed) {
    parts.push(`${Number(speed.toPrecision(2))} steps/s`);
    parts.push(`${count(Math.max(1, Math.round((store.start.steps - step) / speed)), "second")} left`);
  }
  return parts.join(" · ");
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
