"""What a chart is for the browser: a Plotly figure, marks that say where data go, and selectors.

The browser knows nothing of batch norm. Per frame and chart it receives `{view: [series, ...]}`; the view is chosen
by the selectors, and each mark draws one series into one trace (or image) of the figure:

    kind     append: a frame adds one point to every series, [column, ...]; the chart shows frames 0 to k
             replace: a frame holds the whole series, [[column values], ...]; the chart shows frame k
    mark     line (column), band (two columns), ridge (rows of packed levels), image (packed class indices)
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from bnviz.charts.theme import LINE_WIDTH, ArmStyle


@dataclass(frozen=True, slots=True)
class Selector:
    """A choice on a chart's card. `view` chooses the data, `scale` the type of the y axis."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]  # (value, label)
    value: str
    role: Literal["view", "scale"] = "view"

    def as_dict(self) -> dict[str, Any]:
        """JSON for the panel."""
        return {"name": self.name, "label": self.label, "options": self.options, "value": self.value, "role": self.role}


@dataclass(frozen=True, slots=True)
class Mark:
    """Which columns of which series go into which trace (for images: which entry of layout.images)."""

    mark: Literal["line", "band", "ridge", "image"]
    trace: int
    series: int
    columns: tuple[int, ...] = ()
    arm: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON for the panel."""
        return {"mark": self.mark, "trace": self.trace, "series": self.series, "columns": self.columns, "arm": self.arm}


@dataclass(slots=True)
class ChartSpec:
    """The skeleton of one chart."""

    id: str
    title: str
    how_to_read: str
    kind: Literal["append", "replace"]
    layout: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    selectors: tuple[Selector, ...] = ()
    x: list[float] | None = None  # of the series of a replace chart; an append chart's x is the step
    y_range: tuple[float, float] | None = None  # None: from the data of all frames so far, so that scrubbing moves no axis
    y_cap: float | None = None  # a linear axis never grows beyond this multiple of the first frame's largest value
    y_floor: float | None = None  # value that the axis always includes
    titles: dict[str, dict[str, str]] = field(default_factory=dict)  # view -> {"x": ..., "y": ...}
    palette: tuple[str, ...] = ()  # colours of the class indices of image marks
    empty: str = "Waiting for the first measurement"

    def add_band(self, style: ArmStyle, arm: int, columns: tuple[int, int], opacity: float) -> None:
        """A translucent band between two columns of the arm's series."""
        trace = {"type": "scatter", "mode": "lines", "fill": "toself", "line": {"width": 0}, "hoverinfo": "skip"}
        self._add({**trace, "fillcolor": style.fill(opacity)}, Mark("band", len(self.data), arm, columns, arm))

    def add_line(self, style: ArmStyle, arm: int, column: int, hover: str) -> None:
        """A line through one column of the arm's series."""
        line = {"color": style.color, "dash": style.dash, "width": LINE_WIDTH, "simplify": False}
        trace = {"type": "scatter", "mode": "lines", "line": line, "name": style.label}
        template = f"{style.label}<br>{hover}<extra></extra>"
        self._add({**trace, "hovertemplate": template}, Mark("line", len(self.data), arm, (column,), arm))

    def add_ridge(self, style: ArmStyle, arm: int) -> None:
        """Outlines of the arm's distributions, one row above the other."""
        line = {"color": style.color, "width": 1.5, "simplify": False}
        trace = {"type": "scatter", "mode": "lines", "fill": "toself", "line": line, "hoverinfo": "skip"}
        self._add({**trace, "fillcolor": style.fill(0.3)}, Mark("ridge", len(self.data), arm, (), arm))

    def _add(self, trace: dict[str, Any], mark: Mark) -> None:
        self.data.append({**trace, "uid": f"{self.id.replace('_', '')}{len(self.data)}", "x": [], "y": []})
        self.marks.append(mark)

    def as_dict(self) -> dict[str, Any]:
        """JSON for the panel."""
        return {
            "id": self.id,
            "title": self.title,
            "how": self.how_to_read,
            "kind": self.kind,
            "figure": {"data": self.data, "layout": self.layout},
            "marks": [mark.as_dict() for mark in self.marks],
            "selectors": [selector.as_dict() for selector in self.selectors],
            "x": self.x,
            "y": {"range": self.y_range, "cap": self.y_cap, "floor": self.y_floor},
            "titles": self.titles,
            "palette": self.palette,
            "empty": self.empty,
        }
