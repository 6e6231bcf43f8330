"""Whether neighbouring inputs have similar gradients after many layers."""

from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, layer_chart, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.closed_forms.plain_nets import plain_line_autocorrelation
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled, unknown
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import Styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule, when
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import BALDUZZI
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.depth.common import probed_by_arm

READ_OUTS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 50)  # hidden layers, as far as the net goes
POINTS, LINE_LENGTH = 256, 4.0  # inputs on the line from -2 to 2
LINE = np.linspace(-2, 2, POINTS)
LAGS = 64  # of the autocorrelation, in points
NOISE = 2 / POINTS**0.5  # white noise stays below this with 95 % probability
NONE, BATCH, SKIPS = "none", "batch", "residual"  # nets, and keys of their stages
STYLES: Styles = {
    NONE: norm_style("none"),
    BATCH: norm_style("batch"),
    SKIPS: replace(plain_styles(["batch norm, skips"])[0], dash="dashdot"),
}


class ShatterSettings(Settings):
    """Fresh ReLU networks along a line of inputs."""

    depth: Int = knobs.depth(32, most=50, least=2, of="Depth at which the verdict is taken.")
    width: Int = knobs.width(128, most=160, least=16)
    distance: Float = Field(
        default=0.06, ge=0.016, le=0.5, title="Distance", description="Between two inputs; the line is 4 long."
    )
    beta: Float = Field(
        default=0.0, ge=0, le=5, title="Beta", description="Shift of the batch norms, in the net with and without skips."
    )
    seeds: Int = knobs.seeds(8, most=12, least=2, of="Networks of each kind.")

    @property
    def depths(self) -> tuple[int, ...]:
        """Hidden layers that are read out, the deepest last."""
        return (*(depth for depth in READ_OUTS if depth < self.depth), self.depth)

    @property
    def lag(self) -> int:
        """The distance in points of the line, at least 1."""
        return min(max(round(self.distance * (POINTS - 1) / LINE_LENGTH), 1), LAGS - 1)

    @property
    def apart(self) -> str:
        """The distance that is measured at, in words."""
        return number(self.lag * LINE_LENGTH / (POINTS - 1), 2)


def stages(settings: ShatterSettings) -> tuple[Stage, ...]:
    """A probe for every net."""
    seconds = len(settings.depths) * settings.depth * settings.seeds * (1e-5 + 3e-11 * POINTS * settings.width**2)
    shared = {"depths": settings.depths, "points": POINTS, "lags": LAGS, "trials": settings.seeds}
    batch = {"norm": "batch", "beta_init": settings.beta}
    nets: dict[str, dict[str, Any]] = {NONE: {"norm": "none"}, BATCH: batch, SKIPS: batch | {"residual": True}}
    return tuple(
        Stage(
            key,
            STYLES[key].label,
            probe="shattered",
            options={"arm": {"depth": settings.depth, "width": settings.width, **fields}, **shared},
            seconds=seconds,
        )
        for key, fields in nets.items()
    )


def _autocorrelation(settings: ShatterSettings, results: Results) -> Labelled:
    """Autocorrelation of the gradient, by arm, layer that is read out, seed and lag in points."""
    axes = {"layer": settings.depths, "seed": tuple(range(settings.seeds)), "lag": tuple(range(LAGS))}
    return probed_by_arm(results, "autocorrelation", {key: key for key in STYLES}, **axes)


def charts(settings: ShatterSettings) -> tuple[Chart, ...]:
    """The gradient along the line, its autocorrelation at the deepest layer, and that of neighbours by depth."""
    return _along_the_line(settings), _by_depth(settings), _by_distance(settings)


def _along_the_line(settings: ShatterSettings) -> Chart:
    how = "First network, its newest read-out. A line that wanders: neighbours have similar gradients. One that jumps: noise."
    styles = tuple(STYLES.values())
    spec = sweep_chart(
        "line", "Gradient along the line", how, "input t", "df/dt over its rms", LINE.tolist(), styles, markers=False
    )
    spec.wide = True

    def draw(results: Results) -> dict[str, list[Any]]:
        axes = {"layer": settings.depths, "point": tuple(range(POINTS))}
        lines = probed_by_arm(results, "gradient", {key: key for key in STYLES}, **axes)
        return {"": [sweep_series(_newest(found, "point").values[:, None]) for _, found in lines.along("arm")]}

    return Chart(spec, draw)


def _newest(found: Labelled, axis: str) -> Labelled:
    """What is measured of the deepest layer so far; NaN while there is none."""
    known = [layer for layer, each in found.along("layer") if np.isfinite(each.at(**{axis: 0}).values).all()]
    return (
        found.at(layer=known[-1])
        if known
        else unknown(**{name: places for name, places in found.axes.items() if name != "layer"})
    )


def _by_depth(settings: ShatterSettings) -> Chart:
    how = f"Of two inputs {settings.apart} apart. At 1 they agree; inside the grey lines they are as good as noise."
    styles = tuple(STYLES.values())
    spec = layer_chart("by_depth", "Agreement by depth", how, "autocorrelation of df/dt", styles, settings.depths, markers=True)
    spec.layout["xaxis"] |= {"dtick": 1 if settings.depth <= 12 else 5, "tick0": 0}
    wide = [plain_line_autocorrelation(LINE, depth)[settings.lag] for depth in settings.depths]
    add_theory_line(spec, settings.depths, wide, "theory, wide net without a norm")
    ends = [settings.depths[0], settings.depths[-1]]
    add_theory_line(spec, [*ends, np.nan, *ends], [NOISE, NOISE, np.nan, -NOISE, -NOISE], "noise, 95 %")

    def draw(results: Results) -> dict[str, list[Any]]:
        found = _autocorrelation(settings, results).at(lag=settings.lag)
        return {"": [sweep_series(found.at(arm=arm).rows("layer", "seed")) for arm in STYLES]}

    return Chart(spec, draw)


def _by_distance(settings: ShatterSettings) -> Chart:
    distances = [lag * LINE_LENGTH / (POINTS - 1) for lag in range(LAGS)]
    how = "At the newest read-out. Brown noise falls slowly with the distance, white noise at once."
    spec = sweep_chart(
        "by_distance", "Agreement by distance", how, "distance of two inputs", "autocorrelation of df/dt", distances,
        tuple(STYLES.values()), markers=False,
    )  # fmt: skip

    def draw(results: Results) -> dict[str, list[Any]]:
        found = _autocorrelation(settings, results)
        return {"": [sweep_series(_newest(each, "lag").rows("lag", "seed")) for _, each in found.along("arm")]}

    return Chart(spec, draw)


def verdict(settings: ShatterSettings, results: Results) -> Verdict | None:
    """Autocorrelation of neighbours' gradients at the deepest layer, against what white noise gives."""
    if not results.finished():
        return None
    last = _autocorrelation(settings, results).at(lag=settings.lag, layer=settings.depth)
    found = {arm: spread_of(each.values[np.isfinite(each.values)], digits=2) for arm, each in last.along("arm")}
    if not all(spread.count for spread in found.values()):
        return Verdict(None, "Some gradients are 0 along the whole line: they have no autocorrelation.")
    numbers: dict[str, Spread | float] = {**{f"correlation_{arm}": spread for arm, spread in found.items()}, "noise": NOISE}
    headline = say(
        "After {depth} layers with batch norm the gradients at two inputs {apart} apart have a correlation of "
        "{correlation_batch:median} ({correlation_batch:range}).",
        numbers | {"depth": settings.depth, "apart": settings.apart},
    )
    details = say(
        "With batch norm and skips it is {correlation_residual}, without a norm {correlation_none}. "
        "White noise stays below {noise:.3f}.",
        numbers,
    )
    return Verdict(_answer(found), headline, numbers, details)


def _answer(found: dict[str, Spread]) -> str | None:
    keeps = {arm: spread.median > NOISE for arm, spread in found.items()}
    if keeps[SKIPS] and not keeps[BATCH]:
        return "skips"
    return "all" if all(keeps.values()) else "none" if not any(keeps.values()) else None


judge_shattering = rule(
    "correlation {correlation_batch} without, {correlation_residual} with skips",
    supported=answered("skips"),
    mixed=when(lambda numbers: numbers["correlation_batch"].median < numbers["correlation_residual"].median),
)


PART = Part(
    id="shattered",
    title="Shattered gradients",
    question="In a deep net with batch norm: do two inputs that are close together still get similar gradients?",
    choices=(
        Choice("skips", "Only if the net has skips"),
        Choice("all", "Yes, with and without skips"),
        Choice("none", "No, neither with nor without skips"),
    ),
    settings=ShatterSettings,
    presets=(
        Preset(
            "default",
            "32 layers",
            "A line of inputs, read out deeper and deeper. Watch the gradient along it turn from a curve into noise.",
            ShatterSettings(),
        ),
        Preset(
            "shallow",
            "4 layers",
            "Only four layers. Watch how well neighbours still agree in all three nets.",
            ShatterSettings(depth=4),
        ),
        Preset(
            "deep",
            "50 layers",
            "Fifty layers. Watch how slowly the net with skips loses the agreement.",
            ShatterSettings(depth=50),
        ),
        Preset(
            "shifted",
            "With a beta of 2",
            "Batch norms that shift their output by 2 leave most ReLU units switched on. Watch the net without skips.",
            ShatterSettings(beta=2.0),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(BALDUZZI,),
    caveat=("shattered", "shallow"),
    claims=(
        Claim(
            "shatters_gradients",
            "In deep nets with batch norm the gradients of neighbouring inputs become noise; skips prevent it.",
            BALDUZZI,
            "default",
            judge_shattering,
        ),
    ),
)
