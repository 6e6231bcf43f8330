// Which frame is shown. Everything here is arithmetic on the frames received; the server is never asked.

export const FRAMES_A_SECOND = 20;
export const SPEEDS = [0.25, 0.5, 1, 2, 4];

export class Playback {
  constructor() {
    this.speed = 1;
    this.position = 0; // a fraction counts towards the next frame
    this.count = 0; // frames received
    this.isLive = true; // follow the newest frame
    this.isPlaying = true;
    this.hasEnded = false; // no further frame will come
    /** @type {number | null} when `advance` was last called, while moving */
    this.before = null;
  }

  /** Back to the start, to follow another run; the speed stays. */
  reset() {
    this.position = 0;
    this.count = 0;
    this.isLive = true;
    this.isPlaying = true;
    this.hasEnded = false;
    this.before = null;
  }

  /** The frame to show, -1 while there is none. */
  get frame() {
    return this.count ? Math.min(Math.floor(this.position), this.count - 1) : -1;
  }

  /** Whether `advance` would change anything as time passes. */
  get isMoving() {
    return this.isPlaying && !this.isLive && (this.frame < this.count - 1 || !this.hasEnded);
  }

  /** @param {number} count frames received so far */
  received(count) {
    this.count = count;
    if (this.isLive && this.isPlaying) this.position = Math.max(0, count - 1);
  }

  /**
   * Move on to the time `now`.
   *
   * @param {number} now in milliseconds
   */
  advance(now) {
    const passed = this.before === null ? 0 : Math.min(now - this.before, 250);
    this.before = this.isMoving ? now : null;
    if (!this.isMoving) return;
    this.position = Math.min(this.position + (passed / 1000) * FRAMES_A_SECOND * this.speed, this.count - 1);
    if (this.position >= this.count - 1 && this.hasEnded) this.isPlaying = false;
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play() {
    if (this.hasEnded && this.frame >= this.count - 1) this.position = 0;
    this.isPlaying = true;
    this.isLive = false;
  }

  pause() {
    this.position = Math.max(this.frame, 0);
    this.isPlaying = false;
    this.isLive = false;
  }

  /** @param {number} frame */
  seek(frame) {
    this.pause();
    this.position = Math.max(0, Math.min(frame, this.count - 1));
  }

  /** @param {number} by frames, negative for back */
  step(by) {
    this.seek(this.frame + by);
  }

  /** @param {number} speed times `FRAMES_A_SECOND` */
  setSpeed(speed) {
    this.speed = speed;
    if (this.isPlaying && speed !== 1) this.isLive = false;
  }

  /** Show the newest frame, and follow it while more come. */
  jumpToLive() {
    this.position = Math.max(0, this.count - 1);
    this.isLive = true;
    this.isPlaying = !this.hasEnded;
  }

  /**
   * A run that was over before we came: play it from the start, or show its end.
   *
   * @param {boolean} fromStart
   */
  replay(fromStart) {
    this.isLive = !fromStart;
    this.isPlaying = true;
    this.position = 0;
  }

  ended() {
    this.hasEnded = true;
    if (this.isLive) this.isPlaying = false;
  }
}
