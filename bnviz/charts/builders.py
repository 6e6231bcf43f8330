"""Skeletons of the experiments' charts, and the series that go into them.

    builder          kind     x              a series of it
    sweep_chart      replace  values swept   sweep_series(values of (x, T))   median line and band, one an arm
    layer_chart      replace  layers         sweep_series(values of (L, T))   the same, over layers
    category_chart   replace  names          sweep_series(values of (C, T))   boxes side by side
    curve_chart      append   steps          curve_point(values of (T,))      median line and band
    heatmap_chart    replace  values         heatmap_series(values of (y, x)) one panel per series (bnviz.charts.images)
    columns_chart    append   steps          [packed column]                  one panel per series (bnviz.charts.images)

One series a style, in their order. A builder returns a `ChartSpec`: set `selectors`, `titles`, `y_cap`, `y_floor`,
`wide` or `empty` on it where the defaults do not suit. In values, NaN is "not measured", infinity is "diverged".
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bnviz.charts.images import columns_chart, heatmap_chart, heatmap_series
from bnviz.charts.numbers import band, short, short_text, shorts
from bnviz.charts.spec import ChartSpec
from bnviz.charts.theme import BAND_OPACITY, THEORY_COLOR, ArmStyle, base_layout, norm_style, plain_styles

__all__ = [
    "add_level",
    "add_theory_line",
    "category_chart",
    "columns_chart",
    "curve_chart",
    "curve_point",
    "heatmap_chart",
    "heatmap_series",
    "layer_chart",
    "norm_style",
    "plain_styles",
    "sweep_chart",
    "sweep_series",
]

Range = tuple[float, float]
MOST_PLAIN_DECADES = 3.5
MOST_LABELS, EVEN = 8, 0.7  # values of a log axis that are its ticks; steps between them, over the usual step
THEORY_DASHES = ("dot", "dashdot", "longdashdot")
BOXES = 0.8  # share of a category's place that its boxes take
HIGHEST_FLAG, NEXT_FLAG = 0.96, 0.07  # of the signs for divergence, as shares of the plot's height


def sweep_chart(
    id: str,
    title: str,
    how: str,
    x_title: str,
    y_title: str,
    x: Sequence[float],
    styles: Sequence[ArmStyle],
    *,
    x_log: bool = False,
    y_log: bool = False,
    y_range: Range | None = None,
    markers: bool = True,
) -> ChartSpec:
    """Median line and band of every style over the values swept; a cross at the top where trials diverged.

    `x` are the values, above 0 with `x_log`. `y_range` is in the quantity's own units, on a log axis too; None: the
    axis grows with the data. `markers`: every value is marked by the style's symbol.
    """
    layout = base_layout(x_title, y_title)
    layout["xaxis"] |= _x_axis(x, x_log)
    chart = _chart(id, title, how, "replace", layout, styles, y_log, y_range)
    chart.x = [float(value) for value in x]
    chart.empty = "The first values are on their way"
    _add_bands_and_lines(chart, "%{x:.3g}: %{y:.3g}", markers)
    for index, style in enumerate(styles):
        chart.add_flags(style, index, 3, HIGHEST_FLAG - NEXT_FLAG * index, "%{x:.3g}: trials diverged")
    return chart


def layer_chart(
    id: str,
    title: str,
    how: str,
    y_title: str,
    styles: Sequence[ArmStyle],
    layers: int | Sequence[int],
    *,
    x_title: str = "hidden layer",
    y_log: bool = False,
    y_range: Range | None = None,
    markers: bool = False,
) -> ChartSpec:
    """Median line and band of every style over layers: their number, or the layers themselves."""
    x = list(range(1, layers + 1)) if isinstance(layers, int) else list(layers)
    chart = sweep_chart(
        id, title, how, x_title, y_title, x, styles, y_log=y_log, y_range=y_range, markers=markers or len(x) <= 12
    )
    chart.layout["xaxis"] |= {"range": [min(x) - 0.5, max(x) + 0.5]} | ({"dtick": 1, "nticks": 0} if len(x) <= 12 else {})
    chart.empty = "Waiting for the first measurement"
    return chart


def category_chart(
    id: str,
    title: str,
    how: str,
    y_title: str,
    categories: Sequence[str],
    styles: Sequence[ArmStyle],
    *,
    x_title: str = "",
    y_log: bool = False,
    y_range: Range | None = None,
) -> ChartSpec:
    """Boxes from low to high with a tick at the median, one an arm side by side, over named conditions."""
    layout = base_layout(x_title, y_title)
    places = list(range(len(categories)))
    texts = [wrapped(name, max(9, 45 // len(categories))) for name in categories]
    ticks = {"tickvals": places, "ticktext": texts, "showgrid": False}
    layout["xaxis"] |= {"range": [-0.5, len(categories) - 0.5], **ticks}
    layout["margin"]["b"] = (12 if x_title else 0) + 14 + 15 * max(text.count("<br>") + 1 for text in texts)
    chart = _chart(id, title, how, "replace", layout, styles, y_log, y_range)
    chart.x = [float(place) for place in places]
    width = BOXES / len(styles)
    for index, style in enumerate(styles):
        offset = (index - (len(styles) - 1) / 2) * width
        chart.add_range(style, index, offset, 0.8 * width, "%{y:.3g}")
    return chart


def curve_chart(
    id: str,
    title: str,
    how: str,
    y_title: str,
    styles: Sequence[ArmStyle],
    steps: int,
    *,
    x_title: str = "step (updates)",
    y_log: bool = False,
    y_range: Range | None = None,
) -> ChartSpec:
    """Median line and band of every style over the steps of a training stage."""
    layout = base_layout(x_title, y_title)
    layout["xaxis"]["range"] = [0, steps] if steps else [-0.5, 0.5]
    chart = _chart(id, title, how, "append", layout, styles, y_log, y_range)
    _add_bands_and_lines(chart, "step %{x}: %{y:.3g}", markers=False)
    return chart


def sweep_series(values: ArrayLike, diverged: ArrayLike | None = None) -> list[list[float | None]]:
    """[[low], [median], [high]] over the finite trials, and [share that diverged] where any did.

    Args:
        values: shape (x, T); NaN: not measured, or diverged where `diverged` says so; infinite: diverged.
        diverged: shape (x, T), whether a trial diverged.
    """
    array = np.asarray(values, np.float64)
    columns: list[list[float | None]] = [shorts(edge) for edge in band(array.T, array.shape[1])]
    gone = np.isinf(array) if diverged is None else np.isinf(array) | np.asarray(diverged, bool)
    if gone.any():
        columns.append([short(share) if share else None for share in gone.mean(axis=1).tolist()])
    return columns


def curve_point(values: ArrayLike) -> list[float | None]:
    """[low, median, high] over the finite trials of an array of shape (T,)."""
    array = np.asarray(values, np.float64).ravel()
    return shorts(band(array, array.size))


def add_theory_line(chart: ChartSpec, x: ArrayLike, y: ArrayLike, label: str = "theory", *, fit: bool = True) -> ChartSpec:
    """A closed form as a thin grey line through x and y, shape (points,) each; `fit`: the y axis makes room for all of it."""
    xs, ys = np.asarray(x, np.float64).ravel().tolist(), np.asarray(y, np.float64).ravel().tolist()
    taken = sum(style.color == THEORY_COLOR for style in chart.legend)
    style = ArmStyle(label, THEORY_COLOR, THEORY_DASHES[taken % len(THEORY_DASHES)], "")
    line = {"color": style.color, "dash": style.dash, "width": 2}
    template = f"{label}<br>%{{x:.3g}}: %{{y:.3g}}<extra></extra>"
    points = {"x": [_json_number(value) for value in xs], "y": [_json_number(value) for value in ys]}
    chart.add_static({"mode": "lines", "name": label, "line": line, "hovertemplate": template, **points})
    chart.legend = (*chart.legend, style)
    if fit:
        chart.y_include = (*chart.y_include, *(float(f"{value:.4g}") for value in ys if math.isfinite(value)))
    return chart


def add_level(chart: ChartSpec, y: float, label: str = "theory", *, fit: bool = True) -> ChartSpec:
    """A closed form that is one number, as a thin grey line across the plot."""
    low, high = chart.layout["xaxis"]["range"]
    ends = [10**low, 10**high] if chart.layout["xaxis"].get("type") == "log" else [low, high]
    return add_theory_line(chart, ends, [y, y], label, fit=fit)


def wrapped(text: str, width: int) -> str:
    """A text in lines of at most so many characters where its words allow it, for Plotly."""
    return "<br>".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)) or text


def _chart(
    id: str,
    title: str,
    how: str,
    kind: Any,
    layout: dict[str, Any],
    styles: Sequence[ArmStyle],
    y_log: bool,
    y_range: Range | None,
) -> ChartSpec:
    """A chart of these styles on its axes."""
    layout["yaxis"] |= {"type": "log", "exponentformat": "power", "dtick": 1, "nticks": 0} if y_log else {"type": "linear"}
    if y_range and y_log:
        y_range = math.log10(y_range[0]), math.log10(y_range[1])
    return ChartSpec(
        id, title, how, kind, layout, y_range=y_range, legend=tuple(styles), y_follow=kind == "replace" and y_range is None
    )


def _add_bands_and_lines(chart: ChartSpec, hover: str, markers: bool) -> None:
    """Per style a band (columns 0 and 2) and a median line (column 1); all bands below all lines."""
    for index, style in enumerate(chart.legend):
        chart.add_band(style, index, (0, 2), BAND_OPACITY)
    for index, style in enumerate(chart.legend):
        chart.add_line(style, index, 1, hover, markers=markers)


def _x_axis(x: Sequence[float], is_log: bool) -> dict[str, Any]:
    """Type and range of an axis with some room beside the first and the last value; log ranges are exponents."""
    ends = [math.log10(value) if is_log else float(value) for value in (min(x), max(x))]
    room = 0.04 * (ends[1] - ends[0]) or 0.5
    axis: dict[str, Any] = {"range": [round(ends[0] - room, 6), round(ends[1] + room, 6)]}
    if not is_log:
        return axis
    values = sorted(set(x))
    steps = np.diff(np.log10(values))
    if len(values) <= MOST_LABELS and len(steps) and steps.min() > EVEN * np.median(steps):
        return axis | {"type": "log", "tickvals": values, "ticktext": [short_text(value) for value in values]}
    return axis | {"type": "log", **_log_ticks(*axis["range"])}


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    """Powers of ten; over few decades 1 and 3 of each, in plain numbers."""
    decades = high - low
    if decades > MOST_PLAIN_DECADES:
        return {"exponentformat": "power", "dtick": math.ceil(decades / 6), "nticks": 0}
    steps = (1, 3) if decades > 1 else (1, 1.5, 2, 3, 5, 7)
    values = [step * 10**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    shown = [value for value in values if low <= math.log10(value) <= high]
    return {"tickvals": shown, "ticktext": [short_text(value) for value in shown]}


def _json_number(value: float) -> float | None:
    """A number for JSON, with more digits than a measurement: closed forms are compared with each other."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
