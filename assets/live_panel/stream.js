// The server-sent events of one run: reconnects by itself with growing pauses and never repeats or skips a frame.

const PAUSES = [500, 1000, 2000, 4000, 8000];
const HIDDEN_LIMIT = 60_000; // milliseconds a hidden page keeps its connection

/** @import { End, EndState, Frame, Start, Status } from "./protocol.js" */
/** @import { Place } from "./store.js" */

/**
 * @typedef {object} Handlers
 * @property {(status: Status) => void} status
 * @property {(start: Start) => void} panel
 * @property {(frame: Frame) => Place} frame
 * @property {(end: End) => void} ended
 * @property {(seconds: number) => void} lost the connection, until it is tried again
 * @property {() => void} back
 * @property {(wasOpen: boolean) => void} refused
 *
 * @typedef {ReturnType<typeof setTimeout> | undefined} Timer
 */

/** @type {EndState[]} */
const ENDS = ["finished", "stopped", "failed"];
/** @type {Stream | null} */
let open = null; // one stream a page: browsers allow few connections to a host

export class Stream {
  /**
   * @param {URL} url of the stream
   * @param {Handlers} on
   * @param {() => number} last the last frame held, -1 for none
   */
  constructor(url, on, last) {
    this.url = url;
    this.on = on;
    this.last = last;
    this.tries = 0;
    this.isOver = false;
    this.wasOpen = false;
    this.isAsleep = false;
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {Timer} */
    this.timer = undefined;
    /** @type {Timer} */
    this.hiddenTimer = undefined;
    this.onVisibility = () => this.visibility();
    document.addEventListener("visibilitychange", this.onVisibility);
    if (open) open.close();
    open = this;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    if (this.isOver) return;
    this.source?.close();
    const url = new URL(this.url);
    if (this.last() >= 0) url.searchParams.set("after", String(this.last()));
    const source = (this.source = new EventSource(url));
    /** @type {(name: string, act: (event: MessageEvent) => void) => void} */
    const listen = (name, act) => source.addEventListener(name, (event) => source === this.source && act(event));
    source.onopen = () => this.opened();
    listen("error", () => this.failed(source));
    listen("status", (event) => this.on.status(JSON.parse(event.data)));
    listen("panel", (event) => this.on.panel(JSON.parse(event.data)));
    listen("frame", (event) => {
      if (this.on.frame(JSON.parse(event.data)) === "gap") this.connect();
    });
    for (const name of ENDS) {
      listen(name, (event) => {
        this.close();
        this.on.ended(JSON.parse(event.data));
      });
    }
  }

  opened() {
    if (this.tries) this.on.back();
    this.tries = 0;
    this.wasOpen = true;
  }

  /** @param {EventSource} source */
  failed(source) {
    const isRefused = source.readyState === EventSource.CLOSED; // an answer came, and it was no stream
    source.close();
    if (this.isOver || this.isAsleep) return;
    const pause = PAUSES[Math.min(this.tries++, PAUSES.length - 1)];
    if (isRefused) this.on.refused(this.wasOpen);
    if (this.isOver) return;
    this.on.lost(pause / 1000);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  visibility() {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => {
        this.isAsleep = true;
        this.source?.close();
        clearTimeout(this.timer);
      }, HIDDEN_LIMIT);
    } else if (this.isAsleep) {
      this.isAsleep = false;
      this.connect();
    }
  }

  close() {
    this.isOver = true;
    this.source?.close();
    clearTimeout(this.timer);
    clearTimeout(this.hiddenTimer);
    document.removeEventListener("visibilitychange", this.onVisibility);
    if (open === this) open = null;
  }
}
