"""Charts that are images: heatmaps over two knobs, and maps that grow by one column per step."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bnviz.charts.numbers import ALPHABET, LEVELS, pack, short_text
from bnviz.charts.panels import draw_panels, panel_numbers
from bnviz.charts.spec import DIVERGED, NOT_MEASURED, ChartSpec, Mark
from bnviz.charts.theme import DIVERGED_COLOR, ArmStyle

CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838")
MOST_TICKS = 7
BAR_TITLE = {
    "xref": "paper",
    "yref": "paper",
    "x": 1,
    "y": 1,
    "xanchor": "right",
    "yanchor": "bottom",
    "xshift": 42,
    "yshift": 16,
}


def palette(count: int = LEVELS) -> tuple[str, ...]:
    """`count` colours from dark to light on a scale that is even to the eye, with any colour vision."""
    anchors = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in CIVIDIS])
    places = np.linspace(0, len(CIVIDIS) - 1, count)
    channels = [np.interp(places, np.arange(len(CIVIDIS)), anchors[:, channel]) for channel in range(3)]
    return tuple("#" + "".join(f"{round(float(part)):02x}" for part in color) for color in np.transpose(channels))


def heatmap_chart(
    id: str,
    title: str,
    how: str,
    x_title: str,
    y_title: str,
    x: Sequence[float | str],
    y: Sequence[float | str],
    *,
    low: float,
    high: float,
    log: bool = False,
    panels: Sequence[str] = ("no norm", "batch norm"),
    unit: str = "",
) -> ChartSpec:
    """One image per panel over a grid of values, with one colour bar for all.

    `x` and `y` are the grid's values or names, drawn at equal distances, the first y at the bottom; `low` and `high`
    the values of the darkest and the lightest colour, above 0 with `log`; `unit` says beside the bar what they mean.
    """
    chart = ChartSpec(id, title, how, "replace", {}, y_range=(-0.5, len(y) - 0.5))
    draw_panels(chart, panels, (x_title, y_title), (-0.5, len(x) - 0.5), side_by_side=True)
    for name, shown in chart.layout.items():
        if name.startswith(("xaxis", "yaxis")):
            shown |= _ticks(x if name.startswith("xaxis") else y)
    chart.marks += [Mark("image", index, index, (), rows=len(y)) for index in range(len(panels))]
    chart.palette = palette()
    chart.add_static(_color_bar(low, high, log))
    chart.layout["margin"]["r"] = 50
    chart.layout["annotations"].append({**BAR_TITLE, "text": unit, "showarrow": False})
    chart.legend = (ArmStyle("diverged", DIVERGED_COLOR, "cross"),)
    chart.wide = len(panels) > 1
    return chart


def heatmap_series(values: ArrayLike, low: float, high: float, log: bool = False) -> str:
    """Values of shape (y, x) as packed cells: NaN is not measured, infinite is diverged; "" when nothing is measured."""
    array = np.asarray(values, np.float64)
    if np.isnan(array).all():
        return ""
    known = np.isfinite(array)
    scaled = np.where(known, array, low)
    if log:
        scaled, low, high = np.log10(np.maximum(scaled, low)), math.log10(low), math.log10(high)
    cells = np.array(list(pack(np.rint((scaled.ravel() - low) / (high - low) * (LEVELS - 1)))))
    cells[np.isnan(array).ravel()] = NOT_MEASURED
    cells[np.isinf(array).ravel()] = DIVERGED
    return "".join(cells.tolist())


def columns_chart(
    id: str,
    title: str,
    how: str,
    y_title: str,
    steps: int,
    groups: Sequence[str],
    group_rows: int,
    states: Sequence[tuple[str, str]],
    *,
    panels: Sequence[str] = ("no norm", "batch norm"),
    x_title: str = "step (updates)",
) -> ChartSpec:
    """A map that grows with the steps, one panel per series: each frame adds a column of `len(groups) * group_rows` cells.

    `groups` are the names of groups of rows (layers), the first at the bottom, each of `group_rows` rows (units);
    `states` (label, colour) of the cell indices 0, 1, ...
    """
    rows = len(groups) * group_rows
    chart = ChartSpec(id, title, how, "append", {}, y_range=(0, rows))
    draw_panels(chart, panels, (x_title, y_title), (0, max(steps, 1)), side_by_side=False)
    chart.layout["shapes"] = [
        _border(number, at) for number in panel_numbers(panels) for at in range(group_rows, rows, group_rows)
    ]
    shown = range(0, len(groups), math.ceil(len(groups) / MOST_TICKS))
    ticks = {"tickvals": [(index + 0.5) * group_rows for index in shown], "ticktext": [groups[index] for index in shown]}
    for number in panel_numbers(panels):
        chart.layout[f"yaxis{number}"] |= {**ticks, "ticks": "", "showgrid": False}
    chart.marks += [Mark("columns", index, index, (0,), rows=rows) for index in range(len(panels))]
    chart.palette = tuple(color for _, color in states)
    chart.legend = tuple(ArmStyle(label, color, "area") for label, color in states)
    chart.wide, chart.tall = True, len(panels) > 1
    return chart


def _border(number: str, at: float) -> dict[str, Any]:
    """A line between two groups of rows."""
    line = {"color": "rgba(128,128,128,0.6)", "width": 1}
    return {"type": "line", "xref": f"x{number} domain", "yref": f"y{number}", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": line}


def pack_column(states: ArrayLike) -> str:
    """Cell indices, shape (rows,) or any that is read row after row from the bottom, as one column; NaN is not measured."""
    array = np.asarray(states, np.float64).ravel()
    return "".join(NOT_MEASURED if math.isnan(value) else ALPHABET[int(value)] for value in array.tolist())


def _ticks(values: Sequence[float | str]) -> dict[str, Any]:
    """Some of the values as the texts of an axis of equal distances."""
    shown = range(0, len(values), math.ceil(len(values) / MOST_TICKS))
    texts = [value if isinstance(value, str) else short_text(value) for value in values]
    return {"tickvals": list(shown), "ticktext": [texts[index] for index in shown]}


def _color_bar(low: float, high: float, log: bool) -> dict[str, Any]:
    """A trace without points that carries the colour bar."""
    scale = [[index / (len(CIVIDIS) - 1), color] for index, color in enumerate(CIVIDIS)]
    bar: dict[str, Any] = {"thickness": 10, "outlinewidth": 0, "xpad": 4, "len": 1.0}
    if log:
        low, high = math.log10(low), math.log10(high)
        powers = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1))
        powers = powers[:: math.ceil(len(powers) / MOST_TICKS)]
        bar |= {"tickvals": powers, "ticktext": [f"10<sup>{power}</sup>" for power in powers]} if len(powers) > 1 else {}
    marker = {"color": [low], "cmin": low, "cmax": high, "colorscale": scale, "showscale": True, "colorbar": bar}
    return {"x": [None], "y": [None], "mode": "markers", "marker": marker, "hoverinfo": "skip"}
