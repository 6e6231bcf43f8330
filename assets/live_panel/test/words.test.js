import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../store.js";
import { Pace, predictionWords, statusWords } from "../words.js";
import { frame, start } from "./samples.js";

/** @import { End } from "../protocol.js" */
/** @import { Details, PanelState } from "../words.js" */

/** @param {(number | undefined)[]} done of a study's frames; undefined for a run's */
function storeOf(...done) {
  const store = new Store(start());
  done.forEach((share, index) => store.add(frame(index, [], share === undefined ? {} : { done: share })));
  return store;
}

/** @type {(state: PanelState, details?: Details, store?: Store | null, pace?: Pace) => string} */
const words = (state, details = {}, store = null, pace = new Pace()) => statusWords(state, details, store, pace, false);

/** @param {[now: number, step: number][]} marks */
function paceOf(...marks) {
  const pace = new Pace();
  for (const [now, step] of marks) pace.add(step, now);
  return pace;
}

test("there is a pace once it can be told, over the last five seconds", () => {
  assert.equal(new Pace().steps, null);
  assert.equal(paceOf([0, 10]).steps, null);
  assert.equal(paceOf([0, 10], [100, 20]).steps, null); // too short a time
  assert.equal(paceOf([0, 10], [1000, 10]).steps, null); // nothing has moved
  assert.equal(paceOf([0, 10], [1000, 40]).steps, 30);
  assert.equal(paceOf([0, 0], [4000, 4], [8000, 404]).steps, 100); // the slow start is forgotten
  const pace = paceOf([0, 10], [1000, 40]);
  pace.reset();
  assert.equal(pace.steps, null);
});

test("before anything is known a run is starting", () => {
  assert.equal(words("connecting"), "Starting…");
  assert.equal(words("running"), "Starting…");
  assert.equal(words("running", {}, storeOf()), "Starting…");
});

test("a queue has places from 1", () => {
  assert.equal(words("queued", { queue_position: 3 }), "Waiting in the queue: place 3");
  assert.equal(words("queued", { queue_position: null }), "Waiting for a free place…");
});

test("a run counts its steps, its pace and the time that is left", () => {
  const store = storeOf(undefined, undefined, undefined);
  assert.equal(words("running", {}, store), "Training: step 20 of 100");
  assert.equal(words("running", {}, store, paceOf([0, 0], [1000, 20])), "Training: step 20 of 100 · 20 steps/s · 4 seconds left");
  assert.equal(words("running", {}, store, paceOf([0, 0], [1000, 1234])), "Training: step 20 of 100 · 1200 steps/s · 1 second left");
});

test("a study says its share", () => {
  assert.equal(words("running", {}, storeOf(0.1, 0.374)), "37 %");
  assert.equal(words("running", {}, storeOf(0.1, 0.37), paceOf([0, 0.17], [2000, 0.37])), "37 % · 6 seconds left");
  assert.equal(words("running", {}, storeOf(1.2)), "100 %");
  assert.equal(words("stopped", { step: 4, reason: "by the visitor" }, storeOf(0.37)), "Stopped at 37 %: by the visitor");
  assert.equal(words("finished", { step: 4 }, storeOf(1)), "Finished");
});

test("how a run ended is said with its step, and why", () => {
  assert.equal(words("finished", { step: 1 }), "Finished: 1 step");
  assert.equal(words("finished", { step: 300 }, storeOf(undefined)), "Finished: 300 steps");
  assert.equal(words("stopped", { step: 0, reason: "" }), "Stopped at step 0");
  assert.equal(words("failed", { step: 0, reason: "no data set" }), "The run failed: no data set");
  assert.equal(words("failed", { step: 7, reason: "" }), "The run failed at step 7");
});

test("a lost connection says when it is tried again", () => {
  assert.equal(words("reconnecting", { seconds: 0.5 }), "Connection lost. Trying again now…");
  assert.equal(words("reconnecting", { seconds: 1 }), "Connection lost. Trying again in 1 second…");
  assert.equal(words("reconnecting", { seconds: 8 }), "Connection lost. Trying again in 8 seconds…");
});

test("slow mode is said before everything else", () => {
  assert.match(statusWords("lost", {}, null, new Pace(), true), /^Slow mode, .*\. The server no longer knows this run\./);
});

const CHOICES = { higher: "Higher rates", same: "The same rates." };

/** @type {(answer?: string | null) => End} */
const end = (answer) => ({ state: "finished", step: 3, reason: "", verdict: "", ...(answer === undefined ? {} : { answer }) });

test("a prediction is held against the answer", () => {
  const predicted = (/** @type {string} */ key) => ({ choices: CHOICES, predicted: key });
  assert.deepEqual(predictionWords(predicted("higher"), end("higher")), ["agrees", "You predicted: Higher rates. The data agree."]);
  assert.deepEqual(predictionWords(predicted("same"), end("higher")), ["differs", "You predicted: The same rates. The data say: Higher rates."]);
  assert.deepEqual(predictionWords(predicted("same"), end(null)), ["undecided", "You predicted: The same rates. The data do not decide."]);
  assert.deepEqual(predictionWords(predicted("same"), end("unknown")), ["undecided", "You predicted: The same rates. The data do not decide."]);
});

test("without a prediction, an end or an answer nothing is said of it", () => {
  const prediction = { choices: CHOICES, predicted: "same" };
  for (const [given, over] of /** @type {const} */ ([[null, end("same")], [prediction, null], [prediction, end()], [{ ...prediction, predicted: "" }, end("same")]])) {
    assert.deepEqual(predictionWords(given, over), ["", ""]);
  }
});
