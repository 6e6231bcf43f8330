import assert from "node:assert/strict";
import { test } from "node:test";

import { FRAMES_A_SECOND, Playback } from "../playback.js";

const FRAME = 1000 / FRAMES_A_SECOND; // milliseconds

/** @param {number} count */
function received(count) {
  const playback = new Playback();
  playback.received(count);
  return playback;
}

/** @type {(playback: Playback, frames: number) => void} */
function pass(playback, frames) {
  const begun = playback.before ?? 0;
  playback.advance(begun);
  for (let frame = 1; frame <= frames; frame++) playback.advance(begun + frame * FRAME + 0.01);
}

test("nothing is shown before the first frame, whatever is pressed", () => {
  const playback = new Playback();
  for (const press of [() => playback.toggle(), () => playback.step(-1), () => playback.step(1), () => playback.seek(5), () => playback.jumpToLive()]) {
    press();
    assert.equal(playback.frame, -1);
    assert.equal(playback.position, 0);
  }
});

test("it follows the newest frame until it is told otherwise", () => {
  const playback = received(1);
  assert.equal(playback.frame, 0);
  playback.received(9);
  assert.equal(playback.frame, 8);
  assert.ok(!playback.isMoving);
});

test("a pause holds the frame while more come, and play goes on from there", () => {
  const playback = received(5);
  playback.toggle();
  playback.received(100);
  assert.equal(playback.frame, 4);
  playback.toggle();
  pass(playback, 10);
  assert.equal(playback.frame, 14);
});

test("a frame lasts as long at any pace of the screen, at every speed", () => {
  for (const [speed, shown] of [[0.25, 2], [1, 10], [4, 40]]) {
    const playback = received(100);
    playback.setSpeed(speed);
    playback.seek(0);
    playback.toggle();
    pass(playback, 10);
    assert.equal(playback.frame, shown);
  }
});

test("a long pause of the screen does not skip more than a quarter of a second", () => {
  const playback = received(100);
  playback.seek(0);
  playback.toggle();
  playback.advance(0);
  playback.advance(60_000);
  assert.equal(playback.frame, FRAMES_A_SECOND / 4);
});

test("time that passes while nothing moves is not made good for", () => {
  const playback = received(100);
  playback.seek(0);
  playback.advance(0);
  playback.advance(200);
  playback.toggle();
  playback.advance(400);
  assert.equal(playback.frame, 0);
});

test("scrubbing stops at both ends, and stays where it was put", () => {
  const playback = received(10);
  for (const [to, shown] of [[3, 3], [99, 9], [-4, 0]]) {
    playback.seek(to);
    assert.equal(playback.frame, shown);
  }
  assert.ok(!playback.isPlaying && !playback.isLive);
  playback.step(-1);
  assert.equal(playback.frame, 0);
  playback.seek(9);
  playback.step(1);
  assert.equal(playback.frame, 9);
});

test("a step out of the middle of a frame is a whole one", () => {
  const playback = received(10);
  playback.seek(3);
  playback.toggle();
  playback.advance(0);
  playback.advance(0.6 * FRAME);
  playback.step(1);
  assert.equal(playback.position, 4);
});

test("a pause in the middle of a frame goes back to its begin", () => {
  const playback = received(10);
  playback.seek(3);
  playback.toggle();
  playback.advance(0);
  playback.advance(0.6 * FRAME);
  playback.toggle();
  assert.equal(playback.position, 3);
});

test("playing waits at the newest frame for more, and ends when no more come", () => {
  const playback = received(3);
  playback.seek(0);
  playback.toggle();
  pass(playback, 20);
  assert.equal(playback.frame, 2);
  assert.ok(playback.isPlaying && playback.isMoving);
  playback.received(5);
  pass(playback, 20);
  assert.equal(playback.frame, 4);
  playback.ended();
  playback.advance(0);
  assert.ok(!playback.isMoving);
});

test("play at the end of a run that is over begins anew", () => {
  const playback = received(5);
  playback.ended();
  assert.ok(!playback.isPlaying);
  playback.toggle();
  assert.equal(playback.frame, 0);
  pass(playback, 20);
  assert.equal(playback.frame, 4);
  assert.ok(!playback.isPlaying);
});

test("a run that ends while it is paused stays where it is paused", () => {
  const playback = received(10);
  playback.seek(4);
  playback.ended();
  assert.equal(playback.frame, 4);
  assert.ok(!playback.isPlaying && playback.hasEnded);
  playback.toggle();
  pass(playback, 3);
  assert.equal(playback.frame, 7);
});

test("live shows the newest frame, and follows only while more come", () => {
  const playback = received(10);
  playback.seek(2);
  playback.jumpToLive();
  playback.received(12);
  assert.equal(playback.frame, 11);
  playback.seek(2);
  playback.ended();
  playback.jumpToLive();
  assert.equal(playback.frame, 11);
  assert.ok(!playback.isPlaying);
});

test("another speed than 1 leaves the newest frame, and no choice of speed starts what is paused", () => {
  const playback = received(10);
  playback.setSpeed(1);
  assert.ok(playback.isLive);
  playback.setSpeed(2);
  assert.ok(!playback.isLive && playback.isPlaying);
  playback.pause();
  playback.setSpeed(0.5);
  assert.ok(!playback.isPlaying);
});

test("the speed outlives the run, and nothing else does", () => {
  const playback = received(10);
  playback.setSpeed(4);
  playback.seek(3);
  playback.ended();
  playback.reset();
  assert.deepEqual({ ...playback }, { ...new Playback(), speed: 4 });
});

test("a run that was over before is played from its start, or shown at its end", () => {
  for (const [fromStart, shown] of /** @type {[boolean, number][]} */ ([[true, 0], [false, 9]])) {
    const playback = new Playback();
    playback.replay(fromStart);
    playback.received(10);
    assert.equal(playback.frame, shown);
  }
});

test("a run of one frame has nothing to play", () => {
  const playback = received(1);
  playback.ended();
  playback.toggle();
  assert.equal(playback.frame, 0);
  assert.ok(!playback.isMoving);
});
