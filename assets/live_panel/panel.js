// The live panel: one run, its charts, and the playback that moves them together.

import { Bar, KEYS_HELP, onKey } from "./bar.js";
import { Card } from "./card.js";
import { make, sample, say } from "./dom.js";
import { arrange, plotHeight } from "./grid.js";
import { Playback } from "./playback.js";
import { loadPlotly, readTheme } from "./page.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { NO_CHARTS, Pace, predictionWords, statusWords } from "./words.js";

const DRAW_BUDGET = 8; // milliseconds of drawing in one animation frame
const PATIENCE = 4000; // milliseconds that the page has to run again
const VERDICT_PAUSE = 500; // milliseconds between two sentences: a sentence must be readable

export class Panel {
  constructor(parent, base) {
    this.base = base;
    this.cards = new Map();
    this.playback = new Playback();
    this.pace = new Pace();
    this.theme = readTheme(parent);
    this.draws = 0;
    this.state = "connecting";
    this.build(parent);
    this.loop = this.loop.bind(this);
    this.resizes = new ResizeObserver(() => this.resized());
    this.resizes.observe(this.grid);
    addEventListener("resize", (this.onResize = () => this.resized()));
    this.views = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "80px" });
    this.releases = () => this.release();
    this.keys = (event) => onKey(event, this);
    document.addEventListener("keydown", this.keys);
    for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, this.releases);
  }

  build(parent) {
    this.verdict = make("p", { class: "bnv-verdict", role: "status", "aria-live": "polite" });
    this.prediction = make("p", { class: "bnv-prediction", role: "status", "aria-live": "polite" });
    this.diverged = make("p", { class: "bnv-diverged" });
    this.status = make("p", { class: "bnv-status" });
    this.announcer = make("p", { class: "bnv-announcer", role: "status", "aria-live": "polite" });
    this.legend = make("div", { class: "bnv-legend", role: "group", "aria-label": "Arms: press to hide or show" });
    this.proof = make("details", { class: "bnv-proof" });
    this.grid = make("div", { class: "bnv-grid" });
    this.bar = new Bar(this);
    this.row = make("div", { class: "bnv-row" }, this.legend, this.proof);
    const head = make("div", { class: "bnv-head" }, this.verdict, this.prediction, this.diverged, this.row);
    const again = make("button", { type: "button", class: "bnv-button", text: "Try again", onclick: () => this.load(this.data) });
    this.missing = make("div", { class: "bnv-missing", role: "alert", hidden: true }, make("span", { text: NO_CHARTS }), again);
    this.foot = make("div", { class: "bnv-foot" }, this.status, this.bar.element);
    this.root = make("section", { class: "bnv-panel", tabindex: 0, "aria-label": `Live charts. ${KEYS_HELP}` }, head, this.missing, this.grid, this.foot, this.announcer);
    parent.append(this.root);
  }

  /** Called on every change of the component's data or theme. */
  update(data, callbacks) {
    this.callbacks = callbacks;
    const theme = readTheme(this.root);
    if (JSON.stringify(theme) !== JSON.stringify(this.theme)) {
      Object.assign(this.theme, theme);
      for (const card of this.cards.values()) card.redraw();
    }
    this.plotly ||= this.load(data);
    const run = `${data.run_id}:${data.generation}`;
    if (run !== this.run) this.begin(run, data);
    this.data = data;
    this.sayPrediction();
    if (data.slow) this.feed(data.slow);
  }

  /** Plotly for the charts; without it all else goes on, and it can be asked for again. */
  load(data) {
    const tell = (isMissing) => {
      this.missing.hidden = !isMissing;
      this.grid.classList.toggle("bnv-chartless", isMissing);
    };
    tell(false);
    return loadPlotly(new URL(data.plotly, this.base)).then(() => this.wake(), () => tell(true));
  }

  begin(run, data) {
    this.run = run;
    this.data = data;
    this.stream?.close();
    this.stream = null;
    this.pending = null; // the run's store, shown from its first frame on: no blank charts in between
    this.serverStatus = {};
    this.isOver = false;
    this.setState("connecting");
    this.pace.reset();
    if (data.slow) return;
    const handlers = {
      status: (status) => this.took(status),
      panel: (start) => this.started(start),
      frame: (frame) => this.received(frame),
      ended: (end) => this.ended(end),
      lost: (seconds) => this.setState("reconnecting", { seconds }),
      back: () => this.setState(this.serverStatus.state || "connecting"),
      refused: (wasOpen) => this.refused(wasOpen),
    };
    this.stream = new Stream(new URL(data.stream, this.base), handlers, () => (this.pending ? this.pending.last : -1));
  }

  took(status) {
    this.serverStatus = status;
    if (["queued", "running"].includes(status.state)) this.setState(status.state, status);
  }

  started(start) {
    if (this.pending) return; // sent again when a connection resumes
    this.pending = new Store(start);
    this.isShown = false;
    this.wasOver = this.serverStatus.cached || this.serverStatus.state === "finished";
    if (this.state !== "queued") this.setState("running");
  }

  /** A frame has come; tells the stream whether it is new. */
  received(frame) {
    const verdict = this.pending.add(frame);
    if (verdict !== "new") return verdict;
    if (!this.isShown) this.show(this.pending);
    this.pace.add(Number.isFinite(frame.done) ? frame.done : frame.step);
    this.playback.received(this.store.frames.length);
    if (this.state !== "running" && this.state !== "finished") this.setState("running");
    this.wake();
    return verdict;
  }

  /** Put a run on the screen: its arms, its charts, the playback at its start. */
  show(store) {
    this.store = store;
    this.isShown = true;
    const { start } = store;
    this.end = null;
    this.playback.reset();
    if (this.wasOver) this.playback.replay(this.data.autoplay && !this.theme.still);
    this.shownVerdict = 0;
    this.showArms(start);
    const ids = start.charts.map((chart) => chart.id);
    for (const [id, card] of this.cards) if (!ids.includes(id)) this.drop(id, card);
    start.charts.forEach((spec, place) => {
      if (!this.cards.has(spec.id)) this.addCard(spec);
      const card = this.cards.get(spec.id);
      card.reset(spec, store);
      if (this.grid.children[place] !== card.element) this.grid.insertBefore(card.element, this.grid.children[place] || null);
    });
    this.rows = arrange(this.grid, start.charts, this.cards);
    this.fit();
  }

  /** Choose the plots' height for the room that the window has. */
  fit() {
    const height = plotHeight(this.root, this.grid, this.foot, this.rows);
    if (height === null) this.root.style.removeProperty("--plot");
    else this.root.style.setProperty("--plot", `${height}px`);
  }

  addCard(spec) {
    const card = new Card(spec, this);
    this.cards.set(spec.id, card);
    this.grid.append(card.element);
    this.views.observe(card.element);
  }

  drop(id, card) {
    this.views.unobserve(card.element);
    card.plot.destroy();
    card.element.remove();
    this.cards.delete(id);
  }

  showArms(start) {
    const hidden = new Set();
    const chips = (start.arms || []).map((arm, index) => {
      const press = (event) => {
        if (!hidden.delete(index)) hidden.add(index);
        event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(index)));
        for (const card of this.cards.values()) {
          card.plot.hiddenArms = hidden;
          card.redraw();
        }
      };
      return make("button", { type: "button", class: "bnv-chip", "aria-pressed": "true", title: "Hide or show", onclick: press }, sample(arm), make("span", { text: arm.label }));
    });
    for (const card of this.cards.values()) card.plot.hiddenArms = hidden;
    this.legend.replaceChildren(...chips, make("span", { class: "bnv-band", text: start.band || "" }));
    this.proof.hidden = !start.proof?.text; // a study has none
    this.row.hidden = !chips.length && !start.band && this.proof.hidden;
    if (this.proof.hidden) return;
    const rows = start.proof.rows.map((text) => make("p", { text }));
    this.proof.replaceChildren(make("summary", { text: `${start.proof.twins ? "✓ " : ""}${start.proof.text}`, title: "Hashes of every trial" }), ...rows);
  }

  ended(end) {
    this.end = end;
    this.isOver = true;
    this.setState(end.state, end);
    if (this.pending && !this.isShown && this.pending.frames.length) this.show(this.pending);
    this.playback.ended();
    this.wake();
  }

  /** The stream was refused: is the run unknown, do our routes not reach the browser, or is the server away for a while? */
  async refused(wasOpen) {
    const { stream } = this;
    const [status, health] = [await this.ask(this.data.run), wasOpen || (await this.ask(this.data.health))];
    if (stream !== this.stream) return; // another run by now
    if (status?.code === 404) {
      stream.close();
      this.playback.ended();
      this.setState("lost");
    } else if (!status && !health && navigator.onLine) {
      stream.close();
      this.callbacks.setStateValue("unreachable", true);
    }
  }

  /** What our API says of an address, with the code of its answer; null when it does not answer. */
  async ask(path) {
    const answer = await fetch(new URL(path, this.base)).catch(() => null);
    const isOurs = answer?.headers.get("content-type")?.includes("json");
    return isOurs ? { ...(await answer.json()), code: answer.status } : null;
  }

  /** Slow mode: frames that came with the component's data; asks for those that are missing, and says when it has all. */
  feed(slow) {
    const ask = (from) => this.callbacks.setStateValue("resume_from", [from, Math.random()]);
    if (slow.status) this.took(slow.status);
    if (slow.start) this.started(slow.start);
    if (!this.pending && slow.frames.length) return ask(0);
    for (const frame of slow.frames) if (this.received(frame) === "gap") return ask(this.pending.last + 1);
    if (!slow.end) return undefined;
    const held = this.pending ? this.pending.frames.length : 0;
    if (held < slow.count) return ask(held);
    if (!this.isOver) this.ended(slow.end);
    if (this.told !== this.run) this.callbacks.setStateValue("complete", (this.told = this.run));
    return undefined;
  }

  async stop() {
    const answer = await fetch(new URL(this.data.run, this.base), { method: "DELETE" }).catch(() => null);
    if (answer?.ok) return;
    if (answer?.status !== 409) return this.callbacks.setTriggerValue("stop", true); // no API here: ask the page
    this.stream?.close();
    this.ended({ state: "stopped", step: this.store?.steps.at(-1) ?? 0, reason: "you stopped watching; others still watch this run" });
  }

  runAgain() {
    const { run, state, details } = this;
    this.callbacks.setTriggerValue("again", true);
    this.setState("connecting");
    setTimeout(() => run === this.run && !this.isGone && this.unanswered(() => this.setState(state, details)), PATIENCE);
  }

  /** Nothing came of a press: follow a run that is under way, or load the page, which a server started anew does not know. */
  async unanswered(giveUp) {
    const status = await this.ask(this.data.run);
    if (["queued", "running"].includes(status?.state)) return this.begin(this.run, this.data);
    const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
    return answer?.ok ? location.reload() : giveUp(); // the address holds the settings; without a server the charts stay
  }

  setState(state, details = {}) {
    const before = this.state;
    this.state = state;
    this.details = details;
    this.root.dataset.state = state;
    this.bar.allow(state);
    this.writeStatus();
    if (before !== state && state !== "connecting") this.announce(this.status.textContent);
    this.wake();
  }

  writeStatus() {
    say(this.status, statusWords(this.state, this.details, this.pending, this.pace, Boolean(this.data?.slow)));
  }

  announce(text) {
    say(this.announcer, text);
  }

  seen(entries) {
    for (const entry of entries) {
      entry.target.bnvCard.isVisible = entry.isIntersecting;
    }
    this.wake();
  }

  release() {
    for (const card of this.cards.values()) card.plot.held = false;
    this.wake();
  }

  /** Draw anew when the plots' size has changed, once it has settled. */
  resized() {
    clearTimeout(this.resizeTimer);
    this.resizeTimer = setTimeout(() => {
      this.fit();
      for (const card of this.cards.values()) if (card.plot.isOutgrown) card.redraw();
    }, 120);
  }

  /** Ask for an animation frame; nothing runs while nothing moves. */
  wake() {
    this.request ||= requestAnimationFrame(this.loop);
  }

  loop(now) {
    this.request = 0;
    if (!this.store || this.isGone) return;
    this.playback.advance(now);
    const k = this.playback.frame;
    const isBusy = this.drawDue(k, now);
    if (this.root.dataset.frame !== String(k)) this.root.dataset.frame = k;
    if (this.root.dataset.frames !== String(this.playback.count)) this.root.dataset.frames = this.playback.count;
    this.bar.update(this.store, this.state);
    this.writeStatus();
    this.sayPrediction();
    const isWaiting = this.sayVerdict(k, now);
    if (isBusy || isWaiting || this.playback.isMoving) this.wake();
  }

  /** Draw charts in turn until the budget is spent; true when more is to do. */
  drawDue(k, now) {
    if (!window.Plotly) return false;
    const begun = performance.now();
    const cards = [...this.cards.values()];
    const atRest = !this.playback.isMoving && (!this.playback.isLive || this.playback.hasEnded);
    for (let i = 0; i < cards.length; i++) {
      const card = cards[(this.turn = ((this.turn ?? -1) + 1) % cards.length)];
      if (card.isDue(k)) card.draw(k);
      else if (card.isStale(atRest, now)) card.draw(k, true);
      else continue;
      this.root.dataset.draws = ++this.draws;
      if (performance.now() - begun > DRAW_BUDGET) break;
    }
    return cards.some((card) => card.isDue(k) || card.isStale(atRest, now));
  }

  /** What became of the visitor's prediction; said once the end is shown. */
  sayPrediction() {
    const isLast = this.end && this.playback.count > 0 && this.playback.frame === this.playback.count - 1;
    const [outcome, words] = isLast ? predictionWords(this.data?.prediction, this.end) : ["", ""];
    this.prediction.dataset.outcome = outcome;
    say(this.prediction, words);
  }

  /** The sentence as of the frame shown, at a pace that can be read; true while a newer one waits. */
  sayVerdict(k, now) {
    const isLast = this.end && k === this.playback.count - 1;
    const text = (isLast && this.end.verdict) || this.store.text("verdict", k);
    say(this.diverged, this.store.text("diverged", k));
    if (text === this.verdict.textContent) return false;
    if (!isLast && now - this.shownVerdict < VERDICT_PAUSE) return true;
    this.shownVerdict = now;
    say(this.verdict, text);
    return false;
  }

  destroy() {
    this.isGone = true;
    this.stream?.close();
    this.resizes.disconnect();
    removeEventListener("resize", this.onResize);
    this.views.disconnect();
    clearTimeout(this.resizeTimer);
    cancelAnimationFrame(this.request);
    document.removeEventListener("keydown", this.keys);
    for (const name of ["pointerup", "pointercancel"]) document.removeEventListener(name, this.releases);
    for (const card of this.cards.values()) card.plot.destroy();
    this.root.remove();
  }
}
