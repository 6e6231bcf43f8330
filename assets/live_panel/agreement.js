// Whether Plotly has drawn a mark where we would draw it: every vertex is compared, in its order.
//
// Figures ask Plotly not to simplify their lines, so its paths have the vertices that ours have, but for two things: it
// leaves out pieces of a single point, and what lies far outside the plot it cuts off at places of its own.

const TOLERANCE = 2; // pixels
const AROUND = 1; // sizes of the plot beyond its edges within which vertices are compared; Plotly cuts off at 20

/** @typedef {[number, number]} Place x and y, in pixels */

/**
 * The vertices of the `d` of a path, Mx,yLx,y...Z, that are in or near a plot of this size.
 *
 * @param {string} d
 * @param {[number, number]} size width and height of the plot
 * @returns {Place[]}
 */
export function vertices(d, [width, height]) {
  /** @type {Place[]} */
  const found = [];
  for (const piece of d.split("M")) {
    const ends = piece.split("L");
    if (ends.length < 2) continue;
    for (const end of ends) {
      const [x, y] = [parseFloat(end), parseFloat(end.slice(end.indexOf(",") + 1))];
      if (isNear(x, width) && isNear(y, height)) found.push([x, y]);
    }
  }
  return found;
}

/** @type {(at: number, size: number) => boolean} */
const isNear = (at, size) => at >= -AROUND * size && at <= (1 + AROUND) * size;

/**
 * Whether two lists have the same places.
 *
 * @param {Place[]} theirs
 * @param {Place[]} ours
 */
export function samePlaces(theirs, ours) {
  /** @type {(one: Place, other: Place) => boolean} */
  const isClose = (one, other) => Math.abs(one[0] - other[0]) <= TOLERANCE && Math.abs(one[1] - other[1]) <= TOLERANCE;
  return theirs.length === ours.length && theirs.every((place, i) => isClose(place, ours[i]));
}

/**
 * Whether two paths go through the same vertices of a plot of this size.
 *
 * @param {string} theirs
 * @param {string} ours
 * @param {[number, number]} size width and height of the plot
 */
export function samePath(theirs, ours, size) {
  return samePlaces(vertices(theirs, size), vertices(ours, size));
}
