// Series to points: for Plotly (arrays) and for the fast path (the `d` of an SVG path). Gaps are null.

const MOST_POINTS = 700; // more than a chart has pixels; longer series are thinned, the last point always stays

const isMissing = (value) => value === null || value === undefined;

/** Runs of consecutive points where every column has a value. */
export function runs(x, columns, count) {
  const found = [];
  let run = null;
  const stride = Math.max(1, Math.ceil(count / MOST_POINTS));
  for (let i = 0; i < count; i = i === count - 1 ? count : Math.min(i + stride, count - 1)) {
    if (isMissing(x[i]) || columns.some((column) => isMissing(column[i]))) run = null;
    else {
      if (!run) found.push((run = []));
      run.push(i);
    }
  }
  return found.map((indices) => ({ x: indices.map((i) => x[i]), columns: columns.map((column) => indices.map((i) => column[i])) }));
}

/** Polylines of a line mark: [{x, y}]. `widen(x)` gives the ends of the dash that a lone point becomes, to be seen. */
export function linePieces(x, column, count, widen) {
  return runs(x, [column], count).map((run) => widened({ x: run.x, y: run.columns[0] }, widen));
}

/** Closed polygons of a band mark. */
export function bandPieces(x, low, high, count, widen) {
  return runs(x, [low, high], count).map((run) => {
    const bottom = widened({ x: run.x, y: run.columns[0] }, widen);
    const top = widened({ x: run.x, y: run.columns[1] }, widen);
    return { x: [...bottom.x, ...top.x.reverse()], y: [...bottom.y, ...top.y.reverse()] };
  });
}

function widened(piece, widen) {
  if (piece.x.length !== 1 || !widen) return piece;
  return { x: widen(piece.x[0]), y: [piece.y[0], piece.y[0]] };
}

/** Of a range mark: per point a closed box from low to high, and a tick across it at the median. */
export function rangePieces(x, [low, median, high], count, offset, width) {
  const pieces = [];
  for (let i = 0; i < count; i++) {
    if ([low[i], median[i], high[i]].some(isMissing)) continue;
    const [left, right] = [x[i] + offset - width / 2, x[i] + offset + width / 2];
    pieces.push({ x: [left, left, right, right, left], y: [low[i], high[i], high[i], low[i], low[i]] });
    pieces.push({ x: [left, right], y: [median[i], median[i]] });
  }
  return pieces;
}

/** Of a points mark: a point for every x where the column has a value. */
export function pointPieces(x, column, count, offset) {
  const points = [];
  for (let i = 0; i < count; i++) if (!isMissing(column[i])) points.push({ x: [x[i] + offset], y: [column[i]] });
  return points;
}

/** Of a flag mark: a point at height y for every x where the column is above 0. */
export function flagPieces(x, column, count, y) {
  const flagged = x.slice(0, count).filter((value, index) => column[index] > 0);
  return flagged.map((value) => ({ x: [value], y: [y] }));
}

/** Outlines of a ridge mark, one a row, the highest level `height` high; `low` and `high` are the ends of the bins. */
export function ridgePieces(rows, cells, height, [low, high]) {
  return rows.map((row, baseline) => {
    const width = (high - low) / row.length;
    const piece = { x: [], y: [] };
    const add = (x, y) => {
      piece.x.push(x);
      piece.y.push(y);
    };
    add(low, baseline);
    for (let i = 0; i < row.length; i++) {
      const level = cells.level(row, i);
      const around = level + (i ? cells.level(row, i - 1) : 0) + (i + 1 < row.length ? cells.level(row, i + 1) : 0);
      if (around) add(low + (i + 0.5) * width, baseline + (height * level) / cells.top);
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

/** Pieces to the `d` of an SVG path; `toX` and `toY` are from values to pixels. */
export function toPath(pieces, [toX, toY], close) {
  let d = "";
  for (const piece of pieces) {
    let pen = "M";
    for (let i = 0; i < piece.x.length; i++) {
      const px = toX(piece.x[i]);
      const py = toY(piece.y[i]);
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

/** The pixels of every point that the axes can show. */
export function toPixels(pieces, [toX, toY]) {
  const pixels = pieces.flatMap((piece) => piece.x.map((x, i) => [toX(x), toY(piece.y[i])]));
  return pixels.filter((point) => point.every(Number.isFinite));
}
