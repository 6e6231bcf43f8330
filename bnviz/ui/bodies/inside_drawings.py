"""Drawings of one batch as SVG: its numbers on three lines, and the axes of every norm on a cube. Knows no Streamlit."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from bnviz.closed_forms.arithmetic import AxesName, Forward, layout
from bnviz.registry.norms import NORMS

FloatArray = NDArray[np.float64]
FONT = 'font-family="sans-serif"'
INKS = {"light": ("#31333F", "#B8BAC4"), "dark": ("#FAFAFA", "#5A5D68")}  # text and dots, thin lines

SAMPLES, CHANNELS, POSITIONS, GROUPS = 4, 6, 4, 2  # of the cube
CELL, DEPTH = 17.0, (8.0, -6.0)  # of the cube, and how far one sample is behind the other
LEFT, TOP = 26.0, 34.0


@dataclass(frozen=True)
class AxesWords:
    """What the cube of a norm shows, in words."""

    norm: AxesName
    title: str
    over: str


NORM_AXES = (
    AxesWords("batch", "Batch norm", "one mean and variance for each channel, over all samples and positions"),
    AxesWords("layer", "Layer norm", "one mean and variance for each sample, over all channels and positions"),
    AxesWords(
        "group",
        "Group norm",
        f"one mean and variance for each sample and group of {CHANNELS // GROUPS} channels, over these and all positions",
    ),
    AxesWords("instance", "Instance norm", "one mean and variance for each sample and channel, over its positions"),
    AxesWords("rms", "RMS norm", "one mean square for each sample, over the same values as layer norm; no mean is subtracted"),
)


def numbers_of(norm: AxesName) -> tuple[int, int]:
    """(how many statistics there are on the cube, numbers that each is over)."""
    how = layout(norm, (SAMPLES, CHANNELS, POSITIONS), GROUPS)
    return how.statistics, how.count


def together(norm: AxesName) -> NDArray[np.bool_]:
    """Which entries of the cube share their statistic with the first sample's last channel: (samples, channels, positions)."""
    shape = (SAMPLES, CHANNELS, POSITIONS)
    how = layout(norm, shape, GROUPS)
    kept = [1 if axis in how.axes else length for axis, length in enumerate(how.view)]
    names = np.broadcast_to(np.arange(how.statistics).reshape(kept), how.view).reshape(shape)
    return names == names[0, -1, 0]


def cube(norm: AxesName, theme: str = "light") -> str:
    """The cube of one norm: what is coloured shares one statistic."""
    ink, thin = INKS[theme]
    marked, color = together(norm), NORMS[norm].color
    faces = [_cell(_front(c, p), marked[0, c, p], color, thin) for c in range(CHANNELS) for p in range(POSITIONS)]
    faces += [_cell(_lid(n, c), marked[n, c, 0], color, thin) for c in range(CHANNELS) for n in range(SAMPLES)]
    faces += [_cell(_side(n, p), marked[n, -1, p], color, thin) for p in range(POSITIONS) for n in range(SAMPLES)]
    width, height = LEFT + CHANNELS * CELL + SAMPLES * DEPTH[0] + 54, TOP + POSITIONS * CELL + 22
    middle = TOP + POSITIONS * CELL / 2
    labels = (
        _text(LEFT + CHANNELS * CELL / 2, TOP + POSITIONS * CELL + 15, "channels C", ink),
        _text(15, middle, "H, W", ink, f' transform="rotate(-90 15 {middle:g})"'),
        _text(LEFT + CHANNELS * CELL + 46, TOP + POSITIONS * CELL, "samples N", ink),
    )
    return _svg(width, height, "".join(faces) + "".join(labels))


def _front(c: int, p: int) -> list[tuple[float, float]]:
    x, y = LEFT + c * CELL, TOP + p * CELL
    return [(x, y), (x + CELL, y), (x + CELL, y + CELL), (x, y + CELL)]


def _lid(n: int, c: int) -> list[tuple[float, float]]:
    near = [(LEFT + (c + i) * CELL + n * DEPTH[0], TOP + n * DEPTH[1]) for i in (0, 1)]
    return [*near, *((x + DEPTH[0], y + DEPTH[1]) for x, y in reversed(near))]


def _side(n: int, p: int) -> list[tuple[float, float]]:
    near = [(LEFT + CHANNELS * CELL + n * DEPTH[0], TOP + (p + i) * CELL + n * DEPTH[1]) for i in (0, 1)]
    return [*near, *((x + DEPTH[0], y + DEPTH[1]) for x, y in reversed(near))]


def _cell(corners: list[tuple[float, float]], is_marked: bool, color: str, thin: str) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in corners)
    return f'<polygon points="{points}" fill="{color if is_marked else "none"}" stroke="{thin}" stroke-width="1"/>'


WIDTH, ROW, EDGE, MARGIN = 480.0, 66.0, 46.0, 18.0  # of the three lines
DOT = "#0072B2"


def lines(done: Forward, feature: int, theme: str = "light") -> str:
    """x, x-hat and y of one feature on a line each, one dot per sample, joined from line to line; bars: mean and std."""
    ink, thin = INKS[theme]
    columns = [np.broadcast_to(values, done.x.shape)[:, feature] for values in (done.x, done.x_hat, done.y)]
    scale_x, scale_y = _scale(columns[0]), _scale(np.concatenate(columns[1:]), 0.0)
    places = [
        [_place(value, scale) for value in column] for column, scale in zip(columns, (scale_x, scale_y, scale_y), strict=True)
    ]
    heights = [34 + i * ROW for i in range(3)]
    parts = []
    for upper, lower, height in zip(places, places[1:], heights, strict=False):
        parts += [_line(a, height, b, height + ROW, thin, 1) for a, b in zip(upper, lower, strict=True)]
    for name, column, row, height, scale in zip(
        ("x", "x̂", "y"), columns, places, heights, (scale_x, scale_y, scale_y), strict=True
    ):
        parts.append(_row(name, column, row, height, scale, (ink, thin)))
    return _svg(WIDTH, heights[-1] + 30, "".join(parts))


def lines_in_words(done: Forward, feature: int) -> str:
    """What `lines` shows, for those who cannot see it."""
    rows = (
        (name, np.broadcast_to(values, done.x.shape)[:, feature])
        for name, values in zip(("x", "x-hat", "y"), (done.x, done.x_hat, done.y), strict=True)
    )
    said = (f"{name}: {', '.join(f'{value:.3g}' for value in column)}" for name, column in rows)
    return f"Feature {feature + 1} on three lines, samples in order. {'; '.join(said)}."


def _row(
    name: str, column: FloatArray, places: list[float], height: float, scale: tuple[float, float], inks: tuple[str, str]
) -> str:
    """One line: its bar from mean - std to mean + std, its dots, their numbers and its ends."""
    ink, thin = inks
    mean, std = float(column.mean()), float(column.std())
    low, high = _place(mean - std, scale), _place(mean + std, scale)
    parts = [_line(EDGE, height, WIDTH - MARGIN, height, thin, 1.5), _text(16, height + 5, name, ink, ' font-size="16"')]
    parts.append(f'<rect x="{low:g}" y="{height - 6:g}" width="{high - low:g}" height="12" rx="3" fill="{DOT}" opacity="0.18"/>')
    parts.append(_line(_place(mean, scale), height - 9, _place(mean, scale), height + 9, ink, 1.5))
    parts += [f'<circle cx="{place:g}" cy="{height:g}" r="5" fill="{DOT}"/>' for place in places]
    parts += [_text(x, height - 12, label, ink) for x, label in _labels(places)]
    parts.append(_text(_place(mean, scale), height + 22, f"mean {mean:.3g}, std {std:.3g}", ink, ' opacity="0.75"'))
    return "".join(parts)


def _labels(places: list[float]) -> list[tuple[float, str]]:
    """Sample numbers over their dots; dots closer than a number is wide share a label."""
    found: list[tuple[float, list[int]]] = []
    for i in np.argsort(places, kind="stable").tolist():
        if found and places[i] - found[-1][0] < 10 + 9 * (len(found[-1][1]) - 1):
            found[-1][1].append(i + 1)
        else:
            found.append((places[i], [i + 1]))
    return [(place, ",".join(map(str, sorted(names)))) for place, names in found]


def _scale(values: FloatArray, *more: float) -> tuple[float, float]:
    """(lowest, highest) of a line, never of no length."""
    low, high = min(values.min(), *more, values.min()), max(values.max(), *more, values.max())
    room = 0.06 * (high - low) or 1.0
    return float(low - room), float(high + room)


def _place(value: float, scale: tuple[float, float]) -> float:
    share = (value - scale[0]) / (scale[1] - scale[0])
    return round(EDGE + share * (WIDTH - EDGE - MARGIN), 1)


def _line(x0: float, y0: float, x1: float, y1: float, color: str, width: float) -> str:
    return f'<line x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}" stroke="{color}" stroke-width="{width:g}"/>'


def _text(x: float, y: float, text: str, color: str, more: str = "") -> str:
    size = "" if "font-size" in more else ' font-size="13"'
    return f'<text x="{x:g}" y="{y:g}" fill="{color}" text-anchor="middle" {FONT}{size}{more}>{escape(text)}</text>'


def _svg(width: float, height: float, inner: str) -> str:
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{inner}</svg>'
