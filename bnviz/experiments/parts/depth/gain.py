"""Without a norm the initial gain decides, to the power of the depth, between vanishing and exploding."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, heatmap_chart, heatmap_series
from bnviz.closed_forms.plain_nets import plain_gradient_growth
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.numbers import fixed, power_of_ten, times
from bnviz.experiments.kit.quantities import Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import median_above, median_below, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import HE, IOFFE_2015, YANG
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES
from bnviz.experiments.parts.depth.common import probed_by_arm

SHOWN = (1e-6, 1e6)  # of the heatmap's colours
LARGEST_POWER = 300  # of ten, that a chart is given
NO_MATTER = float(np.log10(2))  # decades: a gain that changes the gradient by less than a factor of 2 plays no part
MATTERS = 1.0  # decades: one that changes it by more than a factor of 10 does
BATCH_NORM = 1.25  # at most what a batch-norm layer multiplies the gradient's norm by
LEVEL = 1.0  # decades over the whole depth within which a gradient neither vanishes nor explodes
GAIN = "gain of the initial weights"
ARRIVING = Quantity(
    "gradient",
    "What reaches layer 1",
    "A level line: the gain plays no part. A steep one: it decides.",
    "|dL/dh| of layer 1 over the last layer's",
    log=True,
)
SIGNAL = Quantity(
    "signal",
    "Signal at the top",
    "Root mean square of the last layer's output over that of the inputs.",
    "output over input",
    log=True,
)


class GainSettings(Settings):
    """Fresh networks over a grid of gains."""

    depth: Int = knobs.depth(30, most=60, least=4, of="Depth of the deepest network.")
    width: Int = knobs.width(64, most=96, least=8, of="Units of every layer, and input features.")
    activation: Literal["relu", "leaky_relu", "tanh", "linear"] = knobs.activation()
    widest: Float = Field(
        default=2.0,
        ge=1.05,
        le=4,
        title="Largest gain",
        description="The gains go from its inverse to it, evenly in the logarithm.",
    )
    gains: Int = Field(default=13, ge=3, le=21, title="Gains", description="Number of gains.")
    batch_size: Int = knobs.batch_size(32, most=64, of="Samples, standard normal numbers.")
    seeds: Int = knobs.seeds(3, most=4, of="Networks of each gain.")

    @property
    def grid(self) -> tuple[float, ...]:
        """The gains, ascending; the one in the middle of an odd number is 1."""
        return tuple(float(f"{gain:.4g}") for gain in np.geomspace(1 / self.widest, self.widest, self.gains))

    @property
    def reach(self) -> tuple[float, float]:
        """Range of an axis for what goes with the gain to the power of the depth, and for batch norm's own factor."""
        return self.widest**-self.depth / 10, 10 * max(self.widest, BATCH_NORM) ** self.depth


def stages(settings: GainSettings) -> tuple[Stage, ...]:
    """A probe without and one with batch norm."""
    shared = settings.model_dump(include={"activation", "depth", "width", "batch_size", "seeds"}) | {"gains": settings.grid}
    networks = settings.gains * settings.seeds
    seconds = settings.depth * networks * (2e-4 + 3e-10 * settings.batch_size * settings.width**2)
    return tuple(
        Stage(norm, style.label, probe="gain_and_depth", options={"norm": norm, **shared}, seconds=seconds)
        for norm, style in STYLES.items()
    )


def _logs(settings: GainSettings, results: Results, name: str) -> Labelled:
    """A logarithm to the base of 10 that was measured, by arm, layer, gain and seed."""
    axes = {"layer": tuple(range(1, settings.depth + 1)), "gain": settings.grid, "seed": tuple(range(settings.seeds))}
    return probed_by_arm(results, name, {NONE: NONE, BATCH: BATCH}, **axes)


def _powers(logs: FloatArray) -> FloatArray:
    """Powers of ten of what is finite."""
    return np.where(np.isfinite(logs), 10 ** np.clip(logs, -LARGEST_POWER, LARGEST_POWER), logs)


def charts(settings: GainSettings) -> tuple[Chart, ...]:
    """The gradient over gain and layer, and gradient and signal at the end of their way against the gain."""
    gains = Swept("gain", settings.grid, GAIN, log=True)
    arriving, signal = (replace(quantity, range=settings.reach) for quantity in (ARRIVING, SIGNAL))

    def at_the_top(results: Results) -> Labelled:
        return _logs(settings, results, SIGNAL.measure).at(layer=settings.depth).map(_powers)

    first = arriving.by_value("arriving", STYLES, gains, lambda results: _first(settings, results).map(_powers))
    if settings.activation != "tanh":
        steps = settings.depth - 1
        theory = [plain_gradient_growth(settings.activation, 2 * gain**2, 1) ** (steps / 2) for gain in settings.grid]
        add_theory_line(first.spec, settings.grid, theory, "theory, no norm")
    return _heatmap(settings), first, signal.by_value("signal", STYLES, gains, at_the_top)


def _first(settings: GainSettings, results: Results) -> Labelled:
    """Logarithm of the gradient at layer 1 over the last layer's, by arm, gain and seed."""
    return _logs(settings, results, ARRIVING.measure).at(layer=1)


def _heatmap(settings: GainSettings) -> Chart:
    how = "Follow a column down: what is left of the gradient after each layer. A level column keeps its colour."
    layers = list(range(1, settings.depth + 1))
    spec = heatmap_chart(
        "gradient_map", "Gradient by gain", how, GAIN, "hidden layer", settings.grid, layers,
        low=SHOWN[0], high=SHOWN[1], log=True, unit="|dL/dh| over the last layer's",
    )  # fmt: skip

    def draw(results: Results) -> dict[str, list[Any]]:
        middle = _logs(settings, results, ARRIVING.measure).over("seed").map(_powers)
        return {"": [heatmap_series(middle.at(arm=arm).rows("layer", "gain"), *SHOWN, log=True) for arm in STYLES]}

    return Chart(spec, draw)


def verdict(settings: GainSettings, results: Results) -> Verdict | None:
    """How many decades of gradient the gains span at layer 1, without and with batch norm."""
    if not results.finished():
        return None
    first = _first(settings, results)
    if not np.isfinite(first.values).all():
        return Verdict(
            None, "Some gradients are beyond the numbers that can be represented: choose fewer layers or smaller gains."
        )
    span = first.over("gain", np.ptp)
    numbers: dict[str, Spread | float] = {
        "span_none": spread_of(span.at(arm=NONE).values),
        "span_batch": spread_of(span.at(arm=BATCH).values),
        "power_none": spread_of(_power(settings, first.at(arm=NONE))),
        "power_batch": spread_of(_power(settings, first.at(arm=BATCH)), digits=2),
        "power_theory": float(settings.depth - 1),
        "decades_batch": spread_of(first.at(arm=BATCH).values, of="nets"),
        "decades_none_at_1": spread_of(first.at(arm=NONE, gain=settings.grid[settings.gains // 2]).values),
    }
    return Verdict(_answer(numbers), _headline(numbers), numbers, _details(settings, numbers))


def _answer(numbers: Mapping[str, Any]) -> str | None:
    plain, batch = numbers["span_none"].median, numbers["span_batch"].median
    if plain > MATTERS and batch < NO_MATTER:
        return "plain_only"
    if plain > MATTERS and batch > MATTERS:
        return "both"
    return "neither" if plain < NO_MATTER and batch < NO_MATTER else None


def _power(settings: GainSettings, first: Labelled) -> FloatArray:
    """Slope of log gradient over log gain, one for each seed."""
    return np.polyfit(np.log10(settings.grid), first.rows("gain", "seed"), 1)[0]


def _headline(numbers: Mapping[str, Any]) -> str:
    """By which factor the gains change the gradient, from decades."""
    plain, batch = numbers["span_none"], numbers["span_batch"]
    low, middle, high = (times(power_of_ten(decades)) for decades in (plain.low, plain.median, plain.high))
    low_batch, middle_batch, high_batch = (fixed(power_of_ten(decades), 2) for decades in (batch.low, batch.median, batch.high))
    return (
        f"Over these gains the gradient that reaches layer 1 changes by a factor of {middle} ({low} to {high}) without a norm, "
        f"of {middle_batch} ({low_batch} to {high_batch}) with batch norm, over {plain.count} seeds."
    )


def _details(settings: GainSettings, numbers: Mapping[str, Any]) -> str:
    theory = "" if settings.activation == "tanh" else f"; theory: {settings.depth - 1}"
    return say(
        "It goes with the gain to the power of {none:median} without a norm ({none:range}{theory}) and of {batch:median} with "
        "batch norm ({batch:range}), where {layers} layers multiply it by {kept:x} at every gain.",
        none=numbers["power_none"],
        batch=numbers["power_batch"],
        theory=theory,
        layers=settings.depth - 1,
        kept=power_of_ten(numbers["decades_batch"].median),
    )


def _measured(numbers: Mapping[str, Any]) -> str:
    factor = fixed(power_of_ten(numbers["span_batch"].median), 2)
    by_depth = times(power_of_ten(numbers["decades_batch"].median))
    return f"with batch norm the gain changes the gradient by a factor of {factor}, depth by {by_depth}"


# Both ends: the gain plays no part, and what depth does to the gradient by itself stays within a factor of 10.
NO_PART = median_below("span_batch", NO_MATTER)
STAYS = median_below("decades_batch", LEVEL) & median_above("decades_batch", -LEVEL)
judge_cure = rule(_measured, supported=NO_PART & STAYS, mixed=NO_PART | STAYS)


PART = Part(
    id="gain",
    title="Vanishing and exploding",
    question="Does the scale of the initial weights decide whether gradients vanish or explode on their way down a deep net?",
    choices=(
        Choice("plain_only", "Yes without a norm, no with batch norm"),
        Choice("both", "Yes, with batch norm too"),
        Choice("neither", "No, in neither net"),
    ),
    settings=GainSettings,
    presets=(
        Preset(
            "default",
            "30 ReLU layers",
            "Gains from a half to twice He's. Watch the left map fan out from one column while the right one keeps its stripes.",
            GainSettings(),
        ),
        Preset(
            "shallow",
            "4 layers",
            "The same gains in a net of four layers. Watch how little room there is for the gradient to change.",
            GainSettings(depth=4),
        ),
        Preset(
            "tanh",
            "30 tanh layers",
            "An s-shaped function limits the signal. Watch what that does to large gains on the left.",
            GainSettings(activation="tanh"),
        ),
        Preset(
            "deep",
            "60 ReLU layers",
            "Twice as deep, gains closer to 1. Watch the colours of the right map at the lowest layers.",
            GainSettings(depth=60, widest=1.25),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(HE, IOFFE_2015, YANG),
    caveat=("gain", "deep"),
    claims=(Claim("cures_gradients", "Batch norm cures vanishing and exploding gradients.", IOFFE_2015, "default", judge_cure),),
)
