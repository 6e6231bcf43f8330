// How the server packs levels and cells: a character each. The `panel` event says which characters it uses.

/** @import * as protocol from "./protocol.js" */

export class Cells {
  /** @param {protocol.Cells} cells */
  constructor({ alphabet, not_measured, diverged, diverged_color }) {
    this.top = alphabet.length - 1; // the highest level
    this.levels = new Uint8Array(128);
    for (let index = 0; index <= this.top; index++) this.levels[alphabet.charCodeAt(index)] = index;
    this.notMeasured = not_measured;
    this.diverged = diverged;
    this.divergedColor = diverged_color;
  }

  /**
   * The level, or index, that the character at a place of a packed text stands for.
   *
   * @param {string} packed
   * @param {number} place
   */
  level(packed, place) {
    return this.levels[packed.charCodeAt(place)];
  }

  /**
   * @param {string} cell a character
   * @param {string[]} palette
   */
  color(cell, palette) {
    return cell === this.diverged ? this.divergedColor : palette[this.level(cell, 0) % palette.length];
  }
}
