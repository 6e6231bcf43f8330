"""A chart on its way to the browser: the JSON of its skeleton, and of the series that a frame holds for it.

These types are the one description of it: `ChartSpec` makes such dicts, tests hold everything that is sent against them, and
`scripts/build_protocol.py` writes them down for the JavaScript. No number is NaN or infinite: null stands for it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Number = Annotated[float, Field(allow_inf_nan=False)]
Value = Number | None  # null: nothing was measured, or a trial has diverged
Packed = str  # levels or indices, a character each
Point = Sequence[Value | Packed]  # what a frame adds to a series of an append chart, column by column
Whole = Sequence[Sequence[Value]] | Sequence[Packed] | Packed  # a series of a replace chart: columns, rows of levels, or a grid
Series = Point | Whole
Views = Mapping[str, Sequence[Series]]  # by the view, which the selectors choose

Kind = Literal["append", "replace"]
Shape = Literal["line", "band", "range", "points", "flag", "ridge", "image", "columns"]
Role = Literal["view", "scale"]


class Cells(TypedDict, closed=True):
    """How cells are packed: a character a level, from the lowest, and those with a meaning of their own."""

    alphabet: str
    not_measured: str
    diverged: str
    diverged_color: str


class Style(TypedDict, closed=True):
    """How something is drawn, in words of Plotly's, and the dashes and the path of the symbol for a legend's SVG."""

    label: str
    color: str
    dash: str
    symbol: str
    stroke: str
    shape: str


class Selector(TypedDict, closed=True):
    """A choice on a chart's card; options are pairs of a value and its label."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str
    role: Role


class Mark(TypedDict, closed=True):
    """Which columns of which series go into which trace; see `bnviz.charts.spec.Mark`."""

    mark: Shape
    trace: int
    series: int
    columns: tuple[int, ...]
    arm: int | None
    x: int | None
    rows: int
    offset: Number
    width: Number
    height: Number


class YRule(TypedDict, closed=True):
    """What the y axis shows: a fixed range, or the data within a cap, with a floor and values that it always includes."""

    range: tuple[Number, Number] | None
    cap: Value
    floor: Value
    include: tuple[Number, ...]
    follow: bool


class Titles(TypedDict, total=False, closed=True):
    """Titles of the axes in one view."""

    x: str
    y: str


class Text(TypedDict, extra_items=Any):
    """A text of a figure, as Plotly has it."""

    text: str


class Axis(TypedDict, extra_items=Any):
    """What the panel reads of an axis of a figure."""

    type: NotRequired[str]
    title: NotRequired[Text]
    range: NotRequired[tuple[Number, Number]]
    domain: NotRequired[tuple[Number, Number]]
    ticktext: NotRequired[list[str]]
    tickvals: NotRequired[list[Number]]


class Margin(TypedDict, extra_items=Any):
    """Pixels around a plot."""

    l: Number  # noqa: E741 - Plotly's own name
    r: Number
    t: Number
    b: Number


class Image(TypedDict, extra_items=Any):
    """An image of a figure; the panel sets its source."""

    source: NotRequired[str]


class Layout(TypedDict, extra_items=Any):
    """What the panel reads of a figure's layout; others of its axes are named yaxis2 and so on."""

    xaxis: Axis
    yaxis: Axis
    margin: Margin
    images: NotRequired[list[Image]]


class Trace(TypedDict, extra_items=Any):
    """What the panel reads of a trace of a figure."""

    uid: NotRequired[str]  # of every one that a mark draws into
    mode: NotRequired[str]
    xaxis: NotRequired[str]
    yaxis: NotRequired[str]


class Figure(TypedDict, closed=True):
    """A figure of Plotly's, without the data that frames bring."""

    data: list[Trace]
    layout: Layout


class Chart(TypedDict, closed=True):
    """The skeleton of one chart; see `bnviz.charts.spec.ChartSpec`."""

    id: str
    title: str
    how: str
    kind: Kind
    figure: Figure
    marks: list[Mark]
    selectors: list[Selector]
    x: list[Number] | None
    y: YRule
    titles: dict[str, Titles]
    palette: tuple[str, ...]
    legend: list[Style]
    wide: bool
    tall: bool
    empty: str
