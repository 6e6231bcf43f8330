import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Follower } from "../follow.js";
import { data, frame, start } from "./samples.js";

/** @import { Data, End, Slow, Status } from "../protocol.js" */
/** @import { PanelState } from "../words.js" */

const BASE = "http://app.test/";
/** @type {End} */
const FINISHED = { state: "finished", step: 10, reason: "", verdict: "" };
/** @type {Status} */
const RUNNING = { state: "running", queue_position: null, cached: false };

/** @type {Source[]} */
let sources = [];
/** @type {Record<string, { status: number, body: object } | undefined>} by method and address; undefined: out of reach */
let answers = {};

class Source extends EventTarget {
  static CLOSED = 2;

  /** @param {URL} url */
  constructor(url) {
    super();
    this.url = url.href;
    this.readyState = 1;
    sources.push(this);
  }

  close() {
    this.readyState = 2;
  }

  /** @param {(string | object)[]} events name, data, name, data, ... */
  send(...events) {
    for (let i = 0; i < events.length; i += 2) {
      if (this.readyState !== Source.CLOSED) this.dispatchEvent(Object.assign(new Event(String(events[i])), { data: JSON.stringify(events[i + 1]) }));
    }
  }

  refuse() {
    this.readyState = 2;
    this.dispatchEvent(new Event("error"));
  }
}

/** @param {URL} url */
async function fetched(url, { method = "GET" } = {}) {
  const answer = answers[`${method} ${url.pathname}`];
  if (!answer) throw new TypeError("out of reach");
  return new Response(JSON.stringify(answer.body), { status: answer.status, headers: { "content-type": "application/json" } });
}

Object.assign(globalThis, { EventSource: Source, document: new EventTarget(), fetch: fetched });
Object.defineProperty(navigator, "onLine", { value: true, configurable: true });
beforeEach(() => {
  sources = [];
  answers = {};
});

/** A follower whose viewer notes what it is told; the page notes what is set. */
function following(/** @type {Partial<Data>} */ given = {}) {
  /** @type {unknown[][]} */
  const told = [];
  /** @type {unknown[][]} */
  const set = [];
  const callbacks = {
    setStateValue: (/** @type {unknown[]} */ ...value) => set.push(value),
    setTriggerValue: (/** @type {unknown[]} */ ...value) => set.push(value),
  };
  const viewer = {
    state: /** @type {PanelState} */ ("connecting"),
    details: {},
    setState(/** @type {PanelState} */ state) {
      viewer.state = state;
      told.push([state]);
    },
    begun: () => told.push(["begun"]),
    show: (/** @type {import("../store.js").Store} */ store, /** @type {boolean} */ wasOver) => told.push(["show", store.start.run_id, wasOver]),
    received: (/** @type {import("../protocol.js").Frame} */ each) => told.push([each.frame]),
    ended: (/** @type {End} */ end) => told.push(["ended", end.state, end.step]),
    lost: () => told.push(["lost"]),
  };
  const follower = new Follower(viewer, BASE, data(given), callbacks);
  follower.take(data(given), callbacks);
  const news = () => told.splice(0);
  return { follower, viewer, callbacks, news, set };
}

test("a run is followed from its first event to its last", () => {
  const { news } = following();
  sources[0].send("status", RUNNING, "panel", start(), "frame", frame(0), "frame", frame(1), "finished", FINISHED);
  assert.deepEqual(news(), [["begun"], ["running"], ["running"], ["show", "made", false], [0], [1], ["ended", "finished", 10]]);
  assert.equal(sources[0].url, `${BASE}api/runs/made/stream`);
  assert.equal(sources[0].readyState, 2);
});

test("a run in the queue is not said to run before its first frame", () => {
  const { news } = following();
  sources[0].send("status", { ...RUNNING, state: "queued", queue_position: 2 }, "panel", start());
  assert.deepEqual(news(), [["begun"], ["queued"]]);
});

test("a run that had finished before is shown as one that is over", () => {
  const { news } = following();
  sources[0].send("status", { ...RUNNING, state: "finished", cached: true }, "panel", start(), "frame", frame(0));
  assert.deepEqual(news().at(-2), ["show", "made", true]);
});

test("frames and skeletons that come again change nothing", () => {
  const { follower, news } = following();
  sources[0].send("panel", start(), "frame", frame(0), "frame", frame(1));
  news();
  sources[0].send("panel", start({ run_id: "other" }), "frame", frame(1), "frame", frame(0));
  assert.deepEqual(news(), []);
  assert.equal(follower.store?.start.run_id, "made");
});

test("where a frame is missing the stream is asked for anew, from the last that is here", () => {
  const { follower, news } = following();
  sources[0].send("panel", start(), "frame", frame(0), "frame", frame(1), "frame", frame(3));
  assert.deepEqual([sources.length, new URL(sources[1].url).searchParams.get("after")], [2, "1"]);
  news();
  sources[0].send("frame", frame(2)); // too late: that connection is closed
  sources[1].send("frame", frame(2), "frame", frame(3));
  assert.deepEqual(news(), [[2], [3]]);
  follower.close();
});

test("another run, or the same started anew, ends the stream before and begins with nothing", () => {
  const { follower, callbacks, news } = following();
  sources[0].send("panel", start(), "frame", frame(0));
  follower.take(data(), callbacks);
  assert.equal(sources.length, 1); // only the theme has changed, say
  follower.take(data({ generation: 2 }), callbacks);
  news();
  sources[0].send("frame", frame(1), "finished", FINISHED);
  assert.deepEqual([news(), follower.store, sources[0].readyState], [[], null, 2]);
  sources[1].send("panel", start(), "frame", frame(0));
  assert.deepEqual(news(), [["running"], ["show", "made", false], [0]]);
  follower.close();
});

test("a run that fails before its first frame has an end and no store", () => {
  const { follower, news } = following();
  sources[0].send("failed", { ...FINISHED, state: "failed", step: 0 });
  assert.deepEqual([news().at(-1), follower.store], [["ended", "failed", 0], null]);
});

test("stopping leaves the end to the server", async () => {
  const { follower, news, set } = following();
  answers["DELETE /api/runs/made"] = { status: 200, body: {} };
  news();
  await follower.stop();
  assert.deepEqual([news(), set], [[], []]);
  follower.close();
});

test("a run that others watch goes on without us, and ends here at the last frame", async () => {
  const { follower, news } = following();
  sources[0].send("panel", start(), "frame", frame(0), "frame", frame(1));
  answers["DELETE /api/runs/made"] = { status: 409, body: {} };
  news();
  await follower.stop();
  sources[0].send("frame", frame(2));
  assert.deepEqual(news(), [["ended", "stopped", 10]]);
  assert.equal(sources[0].readyState, 2);
});

test("without an API the page is asked to stop", async () => {
  const { follower, set } = following();
  await follower.stop();
  assert.deepEqual(set, [["stop", true]]);
  follower.close();
});

/** @param {ReturnType<typeof following>} followed */
async function refused({ follower }) {
  await follower.refused(false);
  follower.close();
}

test("a run that the server does not know is lost", async () => {
  const followed = following();
  answers["GET /api/runs/made"] = { status: 404, body: { detail: "unknown" } };
  followed.news();
  await refused(followed);
  assert.deepEqual([followed.news(), followed.set], [[["lost"]], []]);
});

test("an API that never answered is out of reach; one that did, or whose health is known, is away", async () => {
  const followed = following();
  await refused(followed);
  assert.deepEqual(followed.set, [["unreachable", true]]);
  const away = following();
  answers["GET /api/health"] = { status: 200, body: {} };
  await refused(away);
  assert.deepEqual(away.set, []);
  answers = {};
  const opened = following();
  await opened.follower.refused(true);
  opened.follower.close();
  assert.deepEqual(opened.set, []);
});

test("a stream that is refused asks why, and goes on trying", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { follower, news } = following();
  answers["GET /api/runs/made"] = { status: 200, body: { state: "running" } };
  news();
  sources[0].refuse();
  assert.deepEqual(news(), [["reconnecting"]]);
  mock.timers.tick(500);
  assert.equal(sources.length, 2);
  follower.close();
  mock.timers.reset();
});

/** @param {Partial<Slow>} given */
const slow = (given) => data({ slow: { status: RUNNING, start: null, frames: [], count: 0, end: null, ...given } });

test("slow mode takes what comes with the data, and says once that it has all", () => {
  const { follower, callbacks, news, set } = following(slow({ start: start(), frames: [frame(0)], count: 1 }));
  assert.equal(sources.length, 0);
  const last = slow({ frames: [frame(0), frame(1)], count: 2, end: FINISHED });
  follower.take(last, callbacks);
  follower.take(last, callbacks);
  assert.deepEqual(news().filter(([what]) => what !== "running"), [["begun"], ["show", "made", false], [0], [1], ["ended", "finished", 10]]);
  assert.deepEqual(set, [["complete", "made:1"]]);
});

test("slow mode ends the stream that there was", () => {
  const { follower, callbacks } = following();
  follower.take({ ...slow({}), generation: 2 }, callbacks);
  assert.deepEqual([sources.length, sources[0].readyState], [1, 2]);
});

test("slow mode asks for what it has missed", () => {
  const { follower, callbacks, set } = following(slow({ frames: [frame(3)], count: 4 }));
  follower.take(slow({ start: start(), frames: [frame(0)], count: 6 }), callbacks);
  follower.take(slow({ frames: [frame(2)], count: 6 }), callbacks);
  follower.take(slow({ frames: [], count: 6, end: FINISHED }), callbacks);
  assert.deepEqual(set.map(([name, value]) => [name, /** @type {number[]} */ (value)[0]]), [["resume_from", 0], ["resume_from", 1], ["resume_from", 1]]);
  const [first, second] = set.slice(1).map(([, value]) => /** @type {number[]} */ (value)[1]);
  assert.notEqual(first, second); // or Streamlit would take the second for the first
});

test("slow mode tells of a run that nobody knows any more", () => {
  const { news } = following(slow({ status: null, end: { ...FINISHED, state: "lost", step: 0 } }));
  assert.deepEqual(news(), [["begun"], ["ended", "lost", 0]]);
});

test("a run that is not started again goes back to what was said of it", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, { location: { href: BASE } });
  const { follower, viewer, news, set } = following();
  viewer.state = "failed";
  news();
  follower.runAgain();
  assert.deepEqual([news(), set], [[["connecting"]], [["again", true]]]);
  mock.timers.tick(4000);
  mock.timers.reset();
  for (let i = 0; i < 10; i++) await new Promise((done) => setImmediate(done));
  assert.deepEqual(news(), [["failed"]]);
  follower.close();
});
