"""Nets that are dead before they train: the share of random ReLU nets that put out nothing, against its closed form."""

from typing import Annotated

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, layer_chart, plain_styles, sweep_chart
from bnviz.charts.spec import ChartSpec
from bnviz.closed_forms.born_dead import born_dead_probability
from bnviz.config.models import Int
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.dead_units.common import LU, NORMS, PERCENT, STYLES, FloatArray

SAMPLES = 8  # inputs of a net with batch norm, which needs more than one
DEVIATIONS = 1.96  # standard errors of a 95 % interval
HARDLY = 2.0  # percent of nets
CLOSE = 1.0  # percentage points between measurement and closed form
Width = Annotated[Int, Field(ge=1, le=16)]


class BornDeadSettings(Settings):
    """Random nets of one input, without bias, that never train."""

    widths: tuple[Width, ...] = Field(
        default=(2, 3, 4, 6, 8), min_length=2, max_length=6, title="Widths", description="Units of a hidden layer."
    )
    depth: Int = Field(default=40, ge=2, le=100, title="Hidden layers", description="Of the deepest nets.")
    nets: Int = Field(default=10_000, ge=200, le=20_000, title="Nets", description="Random nets of every width.")
    seed: Int = Field(default=0, ge=0, le=9999, title="Seed", description="Of the random weights.")


def stages(settings: BornDeadSettings) -> tuple[Stage, ...]:
    """Nets without a norm, then with batch norm."""
    shared = {"widths": settings.widths, "depth": settings.depth, "seed": settings.seed}
    plain_nets = {**shared, "nets": settings.nets}
    normed = {**shared, "nets": nets_of(settings, "batch"), "norm": "batch", "samples": SAMPLES}
    seconds = 4e-7 * settings.nets * settings.depth * len(settings.widths)
    return (
        Stage("none", "no norm", probe="born_dead", options=plain_nets, seconds=seconds),
        Stage("batch", "batch norm", probe="born_dead", options=normed, seconds=seconds / 2),
    )


def shares(results: Results, key: str, nets: int) -> tuple[FloatArray, FloatArray] | None:
    """Percent of nets dead after each layer and the half width of its 95 % interval, each (widths, depth); None: not yet.

    The half width is never below 3 / nets, the upper bound when none (or all) of so many nets was dead.
    """
    rounds = results.value(key, "dead_share")
    if rounds is None:
        return None
    known = rounds[:, :, np.isfinite(rounds).all(axis=(0, 1))]
    if not known.shape[2]:
        return None
    drawn = nets * known.shape[2] / rounds.shape[2]
    share = known.mean(axis=2)
    return 100 * share, 100 * np.maximum(DEVIATIONS * np.sqrt(share * (1 - share) / drawn), 3 / drawn)


def nets_of(settings: BornDeadSettings, key: str) -> int:
    """Random nets of every width: those with batch norm cost more and are fewer."""
    return settings.nets if key == "none" else max(settings.nets // 10, 200)


def theory(settings: BornDeadSettings) -> FloatArray:
    """The closed form in percent, (widths, depth)."""
    depths = range(1, settings.depth + 1)
    return np.array([[100 * born_dead_probability(width, depth) for depth in depths] for width in settings.widths])


def charts(settings: BornDeadSettings) -> tuple[Chart, ...]:
    """The share of dead nets by layer, one chart a norm, and by width after the last layer."""
    return _by_layer(settings, "none"), _by_layer(settings, "batch"), _by_width(settings)


def _by_layer(settings: BornDeadSettings, key: str) -> Chart:
    titles = {"none": "Dead, no norm", "batch": "Dead, batch norm"}
    how = {
        "none": "The share of nets that put out nothing after so many layers; dotted: the closed form.",
        "batch": "The same nets with batch norm before every ReLU; dotted: the closed form for nets without it.",
    }
    styles = plain_styles([f"{width} units" if width > 1 else "1 unit" for width in settings.widths])
    spec = layer_chart(f"dead_{key}", titles[key], how[key], "dead nets (%)", styles, settings.depth, y_range=PERCENT)
    lines = np.column_stack([theory(settings), np.full(len(settings.widths), np.nan)])  # a gap after each line
    add_theory_line(spec, np.tile(np.arange(1, settings.depth + 2), len(settings.widths)), lines, "theory, no norm")

    def draw(results: Results) -> dict[str, list[Series]]:
        measured = shares(results, key, nets_of(settings, key))
        nothing: Series = [[None] * settings.depth] * 3
        return {
            "": [nothing] * len(settings.widths) if measured is None else [_series(*row) for row in zip(*measured, strict=True)]
        }

    return Chart(spec, draw)


def _series(share: FloatArray, error: FloatArray) -> Series:
    """[[low], [mean], [high]] of percentages."""
    return [[round(value, 2) for value in edge.tolist()] for edge in (share - error, share, share + error)]


def _by_width(settings: BornDeadSettings) -> Chart:
    spec: ChartSpec = sweep_chart(
        "dead_by_width",
        "Dead by width",
        f"After {settings.depth} layers. Every unit more halves the chance that a layer passes nothing.",
        "units of a hidden layer",
        "dead nets (%)",
        settings.widths,
        STYLES,
        y_range=PERCENT,
    )
    add_theory_line(spec, settings.widths, theory(settings)[:, -1], "theory, no norm")

    def draw(results: Results) -> dict[str, list[Series]]:
        measured = [shares(results, norm, nets_of(settings, norm)) for norm in NORMS]
        nothing: Series = [[None] * len(settings.widths)] * 3
        return {"": [nothing if found is None else _series(found[0][:, -1], found[1][:, -1]) for found in measured]}

    return Chart(spec, draw)


def answer(share: FloatArray, error: FloatArray, widths: FloatArray) -> str | None:
    """What the nets say, from the percentages and their errors, each (widths, depth)."""
    if share.max() < HARDLY:
        return "never"
    narrow, wide = int(np.argmin(widths)), int(np.argmax(widths))
    reach = error[narrow, -1] + error[wide, -1]
    if narrow == wide or share[narrow, -1] - share[narrow, 0] <= error[narrow, -1] + error[narrow, 0]:
        return None
    gap = share[narrow, -1] - share[wide, -1]
    return "narrow" if gap > reach else "wide" if gap < -reach else None


def verdict(settings: BornDeadSettings, results: Results) -> Verdict | None:
    """How many nets are dead at birth, how far from the closed form, and how many with batch norm."""
    measured = shares(results, "none", nets_of(settings, "none"))
    if measured is None or not results.finished("none"):
        return None
    share, error = measured
    gap = np.abs(share - theory(settings))
    narrow, wide = int(np.argmin(settings.widths)), int(np.argmax(settings.widths))
    sentence = (
        f"Of {settings.nets} random nets of {settings.depth} layers, {_words(share[narrow, -1], error[narrow, -1])} are dead at "
        f"birth with {settings.widths[narrow]} units a layer, {_words(share[wide, -1], error[wide, -1])} with "
        f"{settings.widths[wide]}; the closed form is at most {plain(gap.max(), 2)} points away."
    )
    numbers = {
        "worst_gap": float(gap.max()),
        "worst_error": float(error.max()),
        "narrow_dead": float(share[narrow, -1]),
        "wide_dead": float(share[wide, -1]),
    }
    normed = shares(results, "batch", nets_of(settings, "batch"))
    if normed is not None and results.finished("batch"):
        numbers["batch_dead"] = float(normed[0].max())
        sentence += f" With batch norm: {_words(normed[0].max(), normed[1].max())}."
    return Verdict(answer(share, error, np.array(settings.widths)), sentence, numbers)


def _words(share: float, error: float) -> str:
    return f"{plain(share)} % (± {plain(error, 2)})"


def judge_formula(found: Verdict) -> Finding:
    """Supported when no width and depth is further from the closed form than a point, or than sampling explains."""
    gap, error = found.numbers["worst_gap"], found.numbers["worst_error"]
    measured = f"largest gap to the closed form {plain(gap, 2)} percentage points (95 % intervals up to ± {plain(error, 2)})"
    allowed = max(CLOSE, 2 * error)  # the largest of many gaps: two half widths are four standard errors
    return Finding("supported" if gap <= allowed else "not supported in this setting", measured)


PART = Part(
    id="born_dead",
    title="Dead at birth",
    question="Nobody trained these random ReLU nets: which of them put out nothing for any input?",
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
