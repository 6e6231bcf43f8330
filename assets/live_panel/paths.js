// Series to points: for Plotly (arrays) and for the fast path (the `d` of an SVG path). Gaps are null.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LEVEL = new Uint8Array(128);
for (let index = 0; index < ALPHABET.length; index++) LEVEL[ALPHABET.charCodeAt(index)] = index;
const MOST_POINTS = 700; // more than a chart has pixels; longer series are thinned, the last point always stays
const RIDGE_HEIGHT = 1.25;

/** Runs of consecutive points where every column has a value. */
export function runs(x, columns, count) {
  const found = [];
  let run = null;
  const stride = Math.max(1, Math.ceil(count / MOST_POINTS));
  for (let i = 0; i < count; i = i === count - 1 ? count : Math.min(i + stride, count - 1)) {
    if (columns.some((column) => column[i] === null || column[i] === undefined)) run = null;
    else {
      if (!run) found.push((run = []));
      run.push(i);
    }
  }
  return found.map((indices) => ({ x: indices.map((i) => x[i]), columns: columns.map((column) => indices.map((i) => column[i])) }));
}

/** Polylines of a line mark: [{x, y}]. A lone point becomes a short dash, so that it is seen. */
export function linePieces(x, column, count, dash) {
  return runs(x, [column], count).map((run) => widened({ x: run.x, y: run.columns[0] }, dash));
}

/** Closed polygons of a band mark. */
export function bandPieces(x, low, high, count, dash) {
  return runs(x, [low, high], count).map((run) => {
    const bottom = widened({ x: run.x, y: run.columns[0] }, dash);
    const top = widened({ x: run.x, y: run.columns[1] }, dash);
    return { x: [...bottom.x, ...top.x.reverse()], y: [...bottom.y, ...top.y.reverse()] };
  });
}

function widened(piece, dash) {
  if (piece.x.length !== 1 || !dash) return piece;
  return { x: [piece.x[0] - dash, piece.x[0] + dash], y: [piece.y[0], piece.y[0]] };
}

/** Outlines of a ridge mark, one a row; `low` and `high` are the ends of the bins. */
export function ridgePieces(rows, low, high) {
  return rows.map((row, baseline) => {
    const width = (high - low) / row.length;
    const piece = { x: [], y: [] };
    const add = (x, y) => {
      piece.x.push(x);
      piece.y.push(y);
    };
    add(low, baseline);
    for (let i = 0; i < row.length; i++) {
      const level = LEVEL[row.charCodeAt(i)];
      const around = level + (i ? LEVEL[row.charCodeAt(i - 1)] : 0) + (i + 1 < row.length ? LEVEL[row.charCodeAt(i + 1)] : 0);
      if (around) add(low + (i + 0.5) * width, baseline + (RIDGE_HEIGHT * level) / 63);
    }
    add(high, baseline);
    return piece;
  });
}

/** Pieces to the arrays of one Plotly trace, parted by gaps. */
export function toArrays(pieces) {
  const x = [];
  const y = [];
  pieces.forEach((piece, index) => {
    if (index) {
      x.push(null);
      y.push(null);
    }
    for (let i = 0; i < piece.x.length; i++) {
      x.push(piece.x[i]);
      y.push(piece.y[i]);
    }
  });
  return { x, y };
}

/** Pieces to the `d` of an SVG path, through the axes' own conversion. */
export function toPath(pieces, xaxis, yaxis, close) {
  let d = "";
  for (const piece of pieces) {
    let pen = "M";
    for (let i = 0; i < piece.x.length; i++) {
      const px = xaxis.c2p(piece.x[i]);
      const py = yaxis.c2p(piece.y[i]);
      if (!Number.isFinite(px) || !Number.isFinite(py)) {
        if (!close) pen = "M"; // a value that a log axis cannot show
        continue;
      }
      d += `${pen}${Math.round(px * 10) / 10},${Math.round(Math.max(-5000, Math.min(5000, py)) * 10) / 10}`;
      pen = "L";
    }
    if (close && d) d += "Z";
  }
  return d;
}

let canvas = null;

/** Packed class indices of a square grid, first row at the bottom, to a small PNG as a data URL. */
export function toImage(packed, palette) {
  const side = Math.round(Math.sqrt(packed.length));
  canvas ||= document.createElement("canvas");
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(side, side);
  const colors = palette.map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
  for (let i = 0; i < packed.length; i++) {
    const row = side - 1 - Math.floor(i / side);
    const at = 4 * (row * side + (i % side));
    const color = colors[LEVEL[packed.charCodeAt(i)] % colors.length];
    pixels.data.set(color, at);
    pixels.data[at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}
