"""Nets that are dead before they train: the share of random ReLU nets that output nothing, against its closed form."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, layer_chart, plain_styles, sweep_chart
from bnviz.closed_forms.born_dead import born_dead_probability
from bnviz.config.models import Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.quantities import PERCENT
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import rule, when
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import LU
from bnviz.experiments.kit.spread import Spread
from bnviz.experiments.kit.twins import STYLES

SAMPLES = 8  # inputs of a net with batch norm, which needs more than one
DEVIATIONS = 1.96  # standard errors of a 95 % interval
HARDLY = 2.0  # percent of nets
CLOSE = 1.0  # percentage points between measurement and closed form
Width = Annotated[Int, Field(ge=1, le=16)]
Key = Literal["none", "batch"]  # of the stages
WORDS: dict[Key, tuple[str, str]] = {  # title of a chart, and how to read it
    "none": ("Dead, no norm", "The share of nets that output nothing after so many layers; dotted: the closed form."),
    "batch": (
        "Dead, batch norm",
        "The same nets with batch norm before every ReLU; dotted: the closed form for nets without it.",
    ),
}


class BornDeadSettings(Settings):
    """Random nets of one input, without bias, that never train."""

    widths: tuple[Width, ...] = Field(
        default=(2, 3, 4, 6, 8), min_length=2, max_length=6, title="Widths", description="Units of a hidden layer."
    )
    depth: Int = knobs.depth(40, most=100, least=2, of="Of the deepest nets.")
    nets: Int = Field(default=10_000, ge=200, le=20_000, title="Nets", description="Random nets of every width.")
    seed: Int = Field(default=0, ge=0, le=9999, title="Seed", description="Of the random weights.")

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the layers, from 1."""
        return tuple(range(1, self.depth + 1))


def stages(settings: BornDeadSettings) -> tuple[Stage, ...]:
    """Nets without a norm, then with batch norm."""
    shared = {"widths": settings.widths, "depth": settings.depth, "seed": settings.seed}
    plain_nets = {**shared, "nets": nets_of(settings, "none")}
    normed = {**shared, "nets": nets_of(settings, "batch"), "norm": "batch", "samples": SAMPLES}
    seconds = 4e-7 * settings.nets * settings.depth * len(settings.widths)
    return (
        Stage("none", "no norm", probe="born_dead", options=plain_nets, seconds=seconds),
        Stage("batch", "batch norm", probe="born_dead", options=normed, seconds=seconds / 2),
    )


def nets_of(settings: BornDeadSettings, key: Key) -> int:
    """Random nets of every width: those with batch norm cost more and are fewer."""
    return settings.nets if key == "none" else max(settings.nets // 10, 200)


@dataclass(frozen=True)
class Shares:
    """How many of the random nets are dead.

    Args:
        percent: of the nets, dead after each layer, axes width, layer.
        error: half width of its 95 % interval; never below 3 / nets, the upper bound when none, or all, were dead.
        nets: drawn so far of every width.
    """

    percent: Labelled
    error: Labelled
    nets: int

    def at(self, width: int, layer: int) -> Spread:
        """The share of one width after a layer, with its interval."""
        place = {"width": width, "layer": layer}
        return self._spread(float(self.percent.at(**place).values), float(self.error.at(**place).values))

    @property
    def largest(self) -> Spread:
        """The largest share, with the widest interval."""
        return self._spread(float(self.percent.values.max()), float(self.error.values.max()))

    def _spread(self, share: float, error: float) -> Spread:
        return Spread(share, max(share - error, 0), min(share + error, 100), self.nets, 0.95, of="nets", unit="%")


def shares(settings: BornDeadSettings, results: Results, key: Key) -> Shares | None:
    """The nets of a stage that were drawn so far; None: not yet."""
    rounds = results.value(key, "dead_share")
    if rounds is None:
        return None
    known = rounds[:, :, np.isfinite(rounds).all(axis=(0, 1))]
    if not known.shape[2]:
        return None
    drawn = nets_of(settings, key) * known.shape[2] / rounds.shape[2]
    share = known.mean(axis=2)
    error = 100 * np.maximum(DEVIATIONS * np.sqrt(share * (1 - share) / drawn), 3 / drawn)
    axes = {"width": settings.widths, "layer": settings.layers}
    return Shares(Labelled(100 * share, axes), Labelled(error, axes), round(drawn))


def theory(settings: BornDeadSettings) -> Labelled:
    """The closed form in percent, axes width, layer."""
    rows = [[100 * born_dead_probability(width, layer) for layer in settings.layers] for width in settings.widths]
    return Labelled(np.array(rows), {"width": settings.widths, "layer": settings.layers})


def charts(settings: BornDeadSettings) -> tuple[Chart, ...]:
    """The share of dead nets by layer, one chart a norm, and by width after the last layer."""
    return _by_layer(settings, "none"), _by_layer(settings, "batch"), _by_width(settings)


def _by_layer(settings: BornDeadSettings, key: Key) -> Chart:
    title, how = WORDS[key]
    styles = plain_styles([f"{width} units" if width > 1 else "1 unit" for width in settings.widths])
    spec = layer_chart(f"dead_{key}", title, how, "dead nets (%)", styles, settings.depth, y_range=PERCENT)
    gap = np.full(len(settings.widths), np.nan)  # after each line
    lines = np.column_stack([theory(settings).rows("width", "layer"), gap])
    add_theory_line(spec, np.tile(np.arange(1, settings.depth + 2), len(settings.widths)), lines, "theory, no norm")

    def draw(results: Results) -> dict[str, list[Series]]:
        found = shares(settings, results, key)
        if found is None:
            return {"": [_nothing(settings.depth)] * len(settings.widths)}
        rows = zip(found.percent.rows("width", "layer"), found.error.rows("width", "layer"), strict=True)
        return {"": [_series(share, error) for share, error in rows]}

    return Chart(spec, draw)


def _by_width(settings: BornDeadSettings) -> Chart:
    spec = sweep_chart(
        "dead_by_width",
        "Dead by width",
        f"After {settings.depth} layers. Every further unit halves the chance that a layer passes nothing.",
        "units of a hidden layer",
        "dead nets (%)",
        settings.widths,
        tuple(STYLES.values()),
        y_range=PERCENT,
    )
    add_theory_line(spec, settings.widths, theory(settings).at(layer=settings.depth).values, "theory, no norm")

    def draw(results: Results) -> dict[str, list[Series]]:
        return {"": [_last_layer(settings, shares(settings, results, key)) for key in ("none", "batch")]}

    return Chart(spec, draw)


def _last_layer(settings: BornDeadSettings, found: Shares | None) -> Series:
    if found is None:
        return _nothing(len(settings.widths))
    return _series(*(each.at(layer=settings.depth).values for each in (found.percent, found.error)))


def _series(share: FloatArray, error: FloatArray) -> Series:
    """[[low], [mean], [high]] of percentages."""
    return [[round(value, 2) for value in edge.tolist()] for edge in (share - error, share, share + error)]


def _nothing(count: int) -> Series:
    return [[None] * count] * 3


def verdict(settings: BornDeadSettings, results: Results) -> Verdict | None:
    """How many nets are dead at birth, how far from the closed form, and how many with batch norm."""
    found = shares(settings, results, "none")
    if found is None or not results.finished("none"):
        return None
    gap = float(np.abs((found.percent - theory(settings)).values).max())
    narrow, wide = (found.at(width, settings.depth) for width in (min(settings.widths), max(settings.widths)))
    numbers = {"worst_gap": gap, "worst_error": float(found.error.values.max()), "narrow": narrow, "wide": wide}
    normed = shares(settings, results, "batch")
    if normed is not None and results.finished("batch"):
        numbers["batch"] = normed.largest
    return Verdict(answer(found), _headline(settings, narrow, wide), numbers, _details(numbers))


def answer(found: Shares) -> str | None:
    """What the nets say of narrow and of wide ones, after the last layer."""
    share, error = found.percent, found.error
    if share.values.max() < HARDLY:
        return "never"
    widths, layers = share.axes["width"], share.axes["layer"]
    narrow, wide = ({"width": width, "layer": layers[-1]} for width in (min(widths), max(widths)))
    first = {"width": min(widths), "layer": layers[0]}
    rise, grown = share.at(**narrow) - share.at(**first), error.at(**narrow).values + error.at(**first).values
    if narrow == wide or rise.values <= grown:
        return None
    gap, reach = share.at(**narrow) - share.at(**wide), error.at(**narrow).values + error.at(**wide).values
    return "narrow" if gap.values > reach else "wide" if gap.values < -reach else None


def _headline(settings: BornDeadSettings, narrow: Spread, wide: Spread) -> str:
    return say(
        "Of the random nets with {depth} layers, {narrow} are dead at birth with {least} units a layer and {wide} with {most}.",
        depth=settings.depth,
        narrow=narrow,
        wide=wide,
        least=min(settings.widths),
        most=max(settings.widths),
    )


def _details(numbers: dict[str, float | Spread]) -> str:
    gap = say("The closed form is at most {worst_gap:2} percentage points away.", numbers)
    return joined(gap, say("With batch norm at most {batch} are dead.", numbers) if "batch" in numbers else "")


judge_formula = rule(  # the largest of many gaps: two half widths are four standard errors
    "largest gap to the closed form {worst_gap:2} percentage points (95 % intervals up to ± {worst_error:2})",
    supported=when(lambda numbers: numbers["worst_gap"] <= max(CLOSE, 2 * numbers["worst_error"])),
)

PART = Part(
    id="born_dead",
    title="Dead at birth",
    question="Nobody trained these random ReLU nets: which of them output nothing for any input?",
    choices=(
        Choice("narrow", "The deep and narrow ones"),
        Choice("wide", "The deep and wide ones"),
        Choice("never", "Hardly any"),
    ),
    settings=BornDeadSettings,
    presets=(
        Preset(
            "narrow",
            "2 to 8 units, 40 layers",
            "Ten thousand random nets of every width. Watch the lines rise with depth, and how much a few units change.",
            BornDeadSettings(),
        ),
        Preset(
            "wide",
            "12 to 16 units, 40 layers",
            "The same depth with wider layers, still far narrower than usual. Watch what is left of the effect.",
            BornDeadSettings(widths=(12, 14, 16)),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LU,),
    caveat=("born_dead", "wide"),
    claims=(
        Claim(
            "born_dead",
            "A ReLU net of width N and depth L is dead at birth with probability 1 - (1 - 2^-N)^L.",
            LU,
            "narrow",
            judge_formula,
        ),
    ),
)
