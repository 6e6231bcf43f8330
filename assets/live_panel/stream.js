// The server-sent events of one run: reconnects by itself with growing pauses and never repeats or skips a frame.

const PAUSES = [500, 1000, 2000, 4000, 8000];
const HIDDEN_LIMIT = 60_000; // milliseconds a hidden page keeps its connection
let open = null; // one stream a page: browsers allow few connections to a host

export class Stream {
  /**
   * @param {string} url of the stream
   * @param {object} on status(data), panel(data), frame(data) -> "new" | "old" | "gap", ended(data), lost(seconds), back(), refused(wasOpen)
   * @param {function(): number} last the last frame held, -1 for none
   */
  constructor(url, on, last) {
    Object.assign(this, { url, on, last, tries: 0, isOver: false, wasOpen: false });
    this.onVisibility = () => this.visibility();
    document.addEventListener("visibilitychange", this.onVisibility);
    if (open) open.close();
    open = this;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.isOver) return;
    this.source?.close();
    const url = new URL(this.url);
    if (this.last() >= 0) url.searchParams.set("after", this.last());
    const source = (this.source = new EventSource(url));
    const listen = (name, act) => source.addEventListener(name, (event) => source === this.source && act(event));
    source.onopen = () => this.opened();
    listen("error", () => this.failed(source));
    for (const name of ["status", "panel"]) listen(name, (event) => this.on[name](JSON.parse(event.data)));
    listen("frame", (event) => {
      if (this.on.frame(JSON.parse(event.data)) === "gap") this.connect();
    });
    for (const name of ["finished", "stopped", "failed"]) {
      listen(name, (event) => {
        this.close();
        this.on.ended({ state: name, ...JSON.parse(event.data) });
      });
    }
  }

  opened() {
    if (this.tries) this.on.back();
    this.tries = 0;
    this.wasOpen = true;
  }

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
