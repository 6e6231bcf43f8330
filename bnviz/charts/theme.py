"""Colours, line styles and layout shared by every chart.

A normalization has a colour of its own, everywhere the same, and a line style and a symbol, so that no meaning hangs on
colour alone: its file says which (`bnviz.registry.norms`); the first six colours are Okabe and Ito's. Text and grid colours
are not here: the browser takes them from the page's theme.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from bnviz.charts import wire
from bnviz.config.models import NormName, RunConfig
from bnviz.registry.norms import NORMS

SHAPES = {  # of Plotly's symbols in the panel's legends, around (16, 5)
    "circle": "M20 5a4 4 0 1 1-8 0a4 4 0 1 1 8 0z",
    "square": "M12.5 1.5h7v7h-7z",
    "diamond": "M16 0l5 5-5 5-5-5z",
    "triangle-up": "M16 .5l4.8 8.5h-9.6z",
    "triangle-down": "M16 9.5l4.8-8.5h-9.6z",
    "cross": "M14.5 1h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z",
}
STROKES = {  # of Plotly's dashes in the panel's legends
    "solid": "none",
    "dash": "7 4",
    "dot": "2 3",
    "dashdot": "7 3 2 3",
    "longdash": "11 4",
    "longdashdot": "11 3 2 3",
}
SYMBOLS, SPARE_DASHES = tuple(SHAPES), tuple(STROKES)
PLAIN_COLORS = ("#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#0072B2", "#D55E00")  # norms' colours last
THEORY_COLOR = "#808080"  # 3.9 : 1 on white, 4.3 : 1 on the dark page
DIVERGED_COLOR = "#c2185b"  # on no colour scale; the panel draws a white cross over it
CLASS_COLORS = ("#7b5cd6", "#e0a800", "#1b9e9e", "#c2487a", "#6b7a8f", "#8a6d3b")  # classes of 2-D data: no norm's colours
LIVE = "&<>%$"  # what Plotly reads as tags, entities, templates and formulas
BAND_OPACITY = 0.22
LINE_WIDTH = 2.5


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """How one arm is drawn everywhere."""

    label: str
    color: str
    dash: str  # "area": no line but a coloured area
    symbol: str = "circle"

    @property
    def plot_label(self) -> str:
        """The label as a Plotly figure has to hold it, to show it as it is: a label may be a visitor's own text."""
        return self.label.translate({ord(mark): f"&#{ord(mark)};" for mark in LIVE})

    def fill(self, opacity: float = BAND_OPACITY) -> str:
        """The arm's colour as a translucent CSS colour."""
        return f"rgba({', '.join(str(part) for part in _rgb(self.color))}, {opacity:g})"

    def as_dict(self) -> wire.Style:
        """JSON for the panel's legend, with how to draw the dash and the symbol there."""
        drawn: dict[str, Any] = {"stroke": STROKES.get(self.dash, "none"), "shape": SHAPES.get(self.symbol, "")}
        return cast(wire.Style, asdict(self) | drawn)


def arm_styles(config: RunConfig) -> tuple[ArmStyle, ...]:
    """One style per arm: the norm's colour and dash; arms that share a norm get other shades and dashes."""
    styles: list[ArmStyle] = []
    used: dict[str, int] = {}
    for arm, label in zip(config.arms, config.arm_labels, strict=True):
        repeat = used[arm.norm] = used.get(arm.norm, -1) + 1
        entry = NORMS[arm.norm]
        dash = entry.dash
        if repeat:
            dash = SPARE_DASHES[(SPARE_DASHES.index(dash) + repeat) % len(SPARE_DASHES)]
        symbol = SYMBOLS[(SYMBOLS.index(entry.symbol) + repeat) % len(SYMBOLS)]
        styles.append(ArmStyle(label, _shade(entry.color, repeat), dash, symbol))
    return tuple(styles)


def norm_style(norm: NormName, label: str = "") -> ArmStyle:
    """A norm's colour, dash and symbol under a label of its own."""
    entry = NORMS[norm]
    return ArmStyle(label or entry.label, entry.color, entry.dash, entry.symbol)


def plain_styles(labels: Sequence[str]) -> tuple[ArmStyle, ...]:
    """Styles for things that are no norm, each with a colour, a dash and a symbol of its own."""
    styles: list[ArmStyle] = []
    for index, label in enumerate(labels):
        place, repeat = index % len(PLAIN_COLORS), index // len(PLAIN_COLORS)
        color = _shade(PLAIN_COLORS[place], repeat)
        styles.append(ArmStyle(label, color, SPARE_DASHES[(place + repeat) % len(SPARE_DASHES)], SYMBOLS[place]))
    return tuple(styles)


def base_layout(x_title: str, y_title: str) -> dict[str, Any]:
    """The layout every chart starts from: transparent, fixed margins, zoom kept between updates."""
    return {
        "margin": {"l": 44, "r": 16, "t": 22, "b": 40},
        "showlegend": False,
        "uirevision": "keep",
        "hovermode": "closest",
        "dragmode": "zoom",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": axis(x_title),
        "yaxis": axis(y_title),
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis of fixed size: no automatic margin, which would move the plot at every update."""
    return {"title": {"text": title, "standoff": 2}, "automargin": False, "zeroline": False, **({"nticks": 6} | more)}


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _shade(color: str, repeat: int) -> str:
    """The colour itself, then alternately darker and lighter ones."""
    if not repeat:
        return color
    target, amount = (0, 255)[repeat % 2 == 0], 0.3 + 0.15 * ((repeat - 1) // 2)
    return "#" + "".join(f"{round(part + (target - part) * amount):02x}" for part in _rgb(color))
