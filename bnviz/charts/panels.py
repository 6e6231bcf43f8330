"""Several plots in one chart: panels side by side or one below the other, each an image under its title."""

import math
from collections.abc import Sequence
from typing import Any

from bnviz.charts.spec import ChartSpec
from bnviz.charts.theme import axis, base_layout

Range = tuple[float, float]
GAP = 0.03  # between panels, as a share of the plot
TITLE = 0.1  # room for a panel's title where panels stand in two rows
MOST_SIDE_BY_SIDE = 3
NO_POINTS = {"x": [None], "y": [None], "mode": "markers", "hoverinfo": "skip"}  # gives a panel its axes


def panel_numbers(panels: Sequence[str]) -> list[str]:
    """What Plotly appends to the axes of each panel: nothing, "2", "3", ..."""
    return [str(index + 1) if index else "" for index in range(len(panels))]


def draw_panels(
    chart: ChartSpec, panels: Sequence[str], axis_titles: tuple[str, str], x_range: Range, *, side_by_side: bool
) -> None:
    """Give a chart its layout: for each panel an image over `x_range` and the chart's `y_range`, and a title.

    Args:
        chart: whose layout is replaced.
        panels: their titles.
        axis_titles: of x and y, once for all panels.
        x_range: of every panel.
        side_by_side: up to three in a row; otherwise up to three in a column, then two columns.
    """
    layout = chart.layout = base_layout("", axis_titles[1]) | {"images": [], "annotations": []}
    columns = min(len(panels), MOST_SIDE_BY_SIDE) if side_by_side else (1 if len(panels) <= MOST_SIDE_BY_SIDE else 2)
    for index, name in enumerate(panels):
        _add_panel(chart, name, (index, len(panels), columns), x_range)
    below = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0, "xanchor": "center", "yanchor": "top", "yshift": -22}
    layout["annotations"].append({**below, "text": axis_titles[0], "showarrow": False})
    layout["yaxis"]["title"]["text"] = axis_titles[1]
    layout["margin"]["t"] = 38  # the y axis' title stands above the panels' own


def _add_panel(chart: ChartSpec, name: str, place: tuple[int, int, int], x_range: Range) -> None:
    """One panel at its place: (index, panels, columns)."""
    index, count, columns = place
    number, layout = str(index + 1) if index else "", chart.layout
    left, right, bottom, top = _edges(index % columns, index // columns, columns, math.ceil(count / columns))
    y_range = chart.y_range or (0.0, 1.0)
    x_axis = axis("", domain=[left, right], range=list(x_range), anchor=f"y{number}")
    y_axis = axis("", domain=[bottom, top], range=list(y_range), anchor=f"x{number}")
    layout[f"xaxis{number}"] = x_axis | {"showgrid": False, "showticklabels": index + columns >= count}
    layout[f"yaxis{number}"] = y_axis | {"showgrid": False, "showticklabels": index % columns == 0}
    layout["images"].append(_image(number, x_range, y_range))
    layout["annotations"].append(_title(name, (left + right) / 2, top))
    chart.add_static({**NO_POINTS, "xaxis": f"x{number}", "yaxis": f"y{number}"})


def _edges(column: int, row: int, columns: int, rows: int) -> tuple[float, float, float, float]:
    """(left, right, bottom, top) of a panel, as shares of the plot."""
    left, right = column / columns + (GAP if column else 0), (column + 1) / columns
    top = 1 - row / rows - (TITLE if row else 0)
    return left, right, 1 - (row + 1) / rows + (GAP if row < rows - 1 else 0), top


def _image(number: str, x_range: Range, y_range: Range) -> dict[str, Any]:
    place = {"xref": f"x{number}", "yref": f"y{number}", "x": x_range[0], "y": y_range[1]}
    size = {"sizex": x_range[1] - x_range[0], "sizey": y_range[1] - y_range[0]}
    return {**place, **size, "sizing": "stretch", "layer": "below", "source": ""}


def _title(text: str, x: float, y: float) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "center", "yanchor": "bottom"}
    return {**place, "text": text, "showarrow": False}
