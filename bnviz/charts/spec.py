"""What a chart is for the browser: a Plotly figure, marks that say where data go, and selectors.

The browser knows nothing of batch norm. Per frame and chart it receives `{view: [series, ...]}`; the view is chosen
by the selectors, and each mark draws one series into one trace (or image) of the figure:

    kind     append: a frame adds one point to every series, [column, ...]; the chart shows frames 0 to k
             replace: a frame holds the whole series, [[column values], ...]; the chart shows frame k
    mark     line (column), band (two columns), range (three columns: a box from low to high with a tick at the median),
             points (column: markers without a line), flag (column: a sign where it is above 0; may be left out),
             ridge (rows of packed levels), image (packed cells of a grid),
             columns (append only; one packed column a frame: an image that grows to the right)

Packed cells are characters of `bnviz.charts.numbers.ALPHABET`, indices into `palette`; two others have a meaning of
their own (`cells` tells the browser), NOT_MEASURED (nothing is drawn) and DIVERGED (a colour and a cross of their own).
"""

from dataclasses import asdict, dataclass, field
from typing import Any, cast

from bnviz.charts import wire
from bnviz.charts.numbers import ALPHABET
from bnviz.charts.theme import DIVERGED_COLOR, LINE_WIDTH, ArmStyle

NOT_MEASURED, DIVERGED = ".", "!"
MARKER_SIZE = 7


def cells() -> wire.Cells:
    """How cells are packed, for the panel: a character a level, from the lowest, and those with a meaning of their own."""
    return {"alphabet": ALPHABET, "not_measured": NOT_MEASURED, "diverged": DIVERGED, "diverged_color": DIVERGED_COLOR}


@dataclass(frozen=True, slots=True)
class Selector:
    """A choice on a chart's card. `view` chooses the data, `scale` the type of the y axis."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]  # (value, label)
    value: str
    role: wire.Role = "view"

    def as_dict(self) -> wire.Selector:
        """JSON for the panel."""
        return {"name": self.name, "label": self.label, "options": self.options, "value": self.value, "role": self.role}


@dataclass(frozen=True, slots=True)
class Mark:
    """Which columns of which series go into which trace (for images and columns: which entry of layout.images)."""

    mark: wire.Shape
    trace: int
    series: int
    columns: tuple[int, ...] = ()
    arm: int | None = None  # hidden with this arm of the panel
    x: int | None = None  # column that holds the x of the series; None: the chart's x, or the step
    rows: int = 0  # of an image; 0: a square one
    offset: float = 0.0  # range, points: added to x, so that arms stand side by side; flag: its y
    width: float = 0.0  # range: of the box
    height: float = 0.0  # ridge: of the highest level; rows are 1 apart

    def as_dict(self) -> wire.Mark:
        """JSON for the panel."""
        return cast(wire.Mark, asdict(self))


@dataclass(slots=True)
class ChartSpec:
    """The skeleton of one chart."""

    id: str
    title: str
    how_to_read: str
    kind: wire.Kind
    layout: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    marks: list[Mark] = field(default_factory=list[Mark])
    selectors: tuple[Selector, ...] = ()
    x: list[float] | None = None  # of the series of a replace chart; an append chart's x is the step
    y_range: tuple[float, float] | None = None  # None: from the data of all frames so far, so that scrubbing moves no axis
    y_cap: float | None = None  # a linear axis never grows beyond this multiple of the first frame's largest value
    y_floor: float | None = None  # value that the axis always includes
    titles: dict[str, wire.Titles] = field(default_factory=dict[str, wire.Titles])  # view -> {"x": ..., "y": ...}
    palette: tuple[str, ...] = ()  # colours of the indices in packed cells
    legend: tuple[ArmStyle, ...] = ()  # shown on the card, but for what the panel's own legend shows
    y_include: tuple[float, ...] = ()  # values that the y axis always includes: closed forms
    y_follow: bool = False  # replace charts: the range is that of the frame shown, though it moves as little as it can
    wide: bool = False  # takes two columns of the page
    tall: bool = False  # has plots one above the other, which need height
    empty: str = "Waiting for the first measurement"

    def add_band(self, style: ArmStyle, arm: int, columns: tuple[int, int], opacity: float) -> None:
        """A translucent band between two columns of the arm's series."""
        line = {"width": 0, "simplify": False}
        trace = {"type": "scatter", "mode": "lines", "fill": "toself", "line": line, "hoverinfo": "skip"}
        self._add({**trace, "fillcolor": style.fill(opacity)}, Mark("band", len(self.data), arm, columns, arm))

    def add_line(
        self, style: ArmStyle, arm: int, column: int, hover: str, *, markers: bool = False, x: int | None = None
    ) -> None:
        """A line through one column of the arm's series, `x` the column of its x if it brings its own."""
        line = {"color": style.color, "dash": style.dash, "width": LINE_WIDTH, "simplify": False}
        trace: dict[str, Any] = {"type": "scatter", "mode": "lines", "line": line, "name": style.plot_label}
        if markers:
            trace |= {"mode": "lines+markers", "marker": {"color": style.color, "symbol": style.symbol, "size": MARKER_SIZE}}
        template = f"{style.plot_label}<br>{hover}<extra></extra>"
        self._add({**trace, "hovertemplate": template}, Mark("line", len(self.data), arm, (column,), arm, x))

    def add_range(self, style: ArmStyle, arm: int, offset: float, width: float, hover: str) -> None:
        """Boxes from column 0 to column 2, a tick and the style's symbol at column 1, `offset` to stand beside others'."""
        line = {"color": style.color, "width": 2, "dash": style.dash, "simplify": False}
        trace = {
            "type": "scatter",
            "mode": "lines",
            "fill": "toself",
            "line": line,
            "name": style.plot_label,
            "hoveron": "points",
        }
        trace |= {"fillcolor": style.fill(0.3), "hovertemplate": f"{style.plot_label}<br>{hover}<extra></extra>"}
        self._add(trace, Mark("range", len(self.data), arm, (0, 1, 2), arm, offset=offset, width=width))
        marker = {"color": style.color, "symbol": style.symbol, "size": MARKER_SIZE}
        points = {"type": "scatter", "mode": "markers", "marker": marker, "hoverinfo": "skip"}
        self._add(points, Mark("points", len(self.data), arm, (1,), arm, offset=offset))

    def add_flags(self, style: ArmStyle, arm: int, column: int, y: float, hover: str) -> None:
        """Signs along the top of the plot where a column is above 0; `y` is their height, as a share of the plot's."""
        if "yaxis2" not in self.layout:
            self.layout["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
        marker = {"color": style.color, "symbol": "x", "size": MARKER_SIZE + 2}
        trace = {"type": "scatter", "mode": "markers", "marker": marker, "name": style.plot_label, "yaxis": "y2"}
        template = f"{style.plot_label}<br>{hover}<extra></extra>"
        self._add({**trace, "hovertemplate": template}, Mark("flag", len(self.data), arm, (column,), arm, offset=y))

    def add_static(self, trace: dict[str, Any]) -> None:
        """A trace that brings its own x and y and never changes."""
        self.data.append({"type": "scatter", **trace, "uid": f"{self.id.replace('_', '')}{len(self.data)}"})

    def add_ridge(self, style: ArmStyle, arm: int, height: float) -> None:
        """Outlines of the arm's distributions, one row above the other, up to `height` high; rows are 1 apart."""
        line = {"color": style.color, "width": 1.5, "simplify": False}
        trace = {"type": "scatter", "mode": "lines", "fill": "toself", "line": line, "hoverinfo": "skip"}
        self._add({**trace, "fillcolor": style.fill(0.3)}, Mark("ridge", len(self.data), arm, (), arm, height=height))

    def _add(self, trace: dict[str, Any], mark: Mark) -> None:
        self.data.append({**trace, "uid": f"{self.id.replace('_', '')}{len(self.data)}", "x": [], "y": []})
        self.marks.append(mark)

    def as_dict(self) -> wire.Chart:
        """JSON for the panel."""
        return {
            "id": self.id,
            "title": self.title,
            "how": self.how_to_read,
            "kind": self.kind,
            "figure": cast(wire.Figure, {"data": self.data, "layout": self.layout}),  # a test holds it against the type
            "marks": [mark.as_dict() for mark in self.marks],
            "selectors": [selector.as_dict() for selector in self.selectors],
            "x": self.x,
            "y": {
                "range": self.y_range,
                "cap": self.y_cap,
                "floor": self.y_floor,
                "include": self.y_include,
                "follow": self.y_follow,
            },
            "titles": self.titles,
            "palette": self.palette,
            "legend": [style.as_dict() for style in self.legend],
            "wide": self.wide,
            "tall": self.tall,
            "empty": self.empty,
        }
