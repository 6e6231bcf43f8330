"""Without a norm the initial gain decides, to the power of the depth, between vanishing and exploding."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, heatmap_chart, heatmap_series, norm_style, sweep_chart, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.closed_forms.plain_nets import plain_gradient_growth
from bnviz.config.models import Float, Int, NormName
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import fixed, power_of_ten
from bnviz.experiments.parts.depth.common import HE, IOFFE, YANG, FloatArray, spread_words, times

NORMS: tuple[NormName, ...] = ("none", "batch")
SHOWN = (1e-6, 1e6)  # of the heatmap's colours
NO_MATTER = np.log10(2)  # decades: a gain that changes the gradient by less than a factor of 2 plays no part
MATTERS = 1.0  # decades: one that changes it by more than a factor of 10 does
BATCH_NORM = 1.25  # at most what a batch-norm layer multiplies the gradient's norm by
LEVEL = 1.0  # decades over the whole depth within which a gradient neither vanishes nor explodes


class GainSettings(Settings):
    """Fresh networks over a grid of gains."""

    depth: Int = Field(default=30, ge=4, le=60, title="Hidden layers", description="Depth of the deepest network.")
    width: Int = Field(default=64, ge=8, le=96, title="Width", description="Units of every layer, and input features.")
    activation: Literal["relu", "leaky_relu", "tanh", "linear"] = Field(
        default="relu", title="Activation", description="Of the hidden layers."
    )
    widest: Float = Field(
        default=2.0,
        ge=1.05,
        le=4,
        title="Largest gain",
        description="The gains go from its inverse to it, evenly in the logarithm.",
    )
    gains: Int = Field(default=13, ge=3, le=21, title="Gains", description="Number of gains.")
    batch_size: Int = Field(default=32, ge=4, le=64, title="Batch size", description="Samples, standard normal numbers.")
    seeds: Int = Field(default=3, ge=1, le=4, title="Seeds", description="Networks of each gain.")

    @property
    def grid(self) -> tuple[float, ...]:
        """The gains, ascending; the one in the middle of an odd number is 1."""
        return tuple(float(f"{gain:.4g}") for gain in np.geomspace(1 / self.widest, self.widest, self.gains))


def stages(settings: GainSettings) -> tuple[Stage, ...]:
    """A probe without and one with batch norm."""
    shared = {
        "activation": settings.activation,
        "gains": settings.grid,
        "depth": settings.depth,
        "width": settings.width,
        "batch_size": settings.batch_size,
        "seeds": settings.seeds,
    }
    networks = settings.gains * settings.seeds
    seconds = settings.depth * networks * (2e-4 + 3e-10 * settings.batch_size * settings.width**2)
    labels = {"none": "no norm", "batch": "batch norm"}
    return tuple(
        Stage(norm, labels[norm], probe="gain_and_depth", options={"norm": norm, **shared}, seconds=seconds) for norm in NORMS
    )


def charts(settings: GainSettings) -> tuple[Chart, ...]:
    """The gradient over gain and layer, and gradient and signal at the end of their way against the gain."""
    return _heatmap(settings), _arriving(settings), _signal(settings)


def _heatmap(settings: GainSettings) -> Chart:
    spec = heatmap_chart(
        "gradient_map",
        "Gradient by gain",
        "Follow a column down: what is left of the gradient after each layer. A level column keeps its colour.",
        "gain of the initial weights",
        "hidden layer",
        settings.grid,
        list(range(1, settings.depth + 1)),
        low=SHOWN[0],
        high=SHOWN[1],
        log=True,
        unit="|dL/dh| over the last layer's",
    )

    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [_cells(results.value(norm, "gradient")) for norm in NORMS]}

    return Chart(spec, draw)


def _cells(logs: FloatArray | None) -> str:
    if logs is None:
        return ""
    middle = np.median(logs, axis=2)
    return heatmap_series(np.where(np.isfinite(middle), 10 ** np.clip(middle, -300, 300), middle), *SHOWN, log=True)


def _arriving(settings: GainSettings) -> Chart:
    spec = sweep_chart(
        "arriving",
        "What reaches layer 1",
        "A level line: the gain plays no part. A steep one: it decides.",
        "gain of the initial weights",
        "|dL/dh| of layer 1 over the last layer's",
        settings.grid,
        _styles(),
        x_log=True,
        y_log=True,
        y_range=_reach(settings),
    )
    if settings.activation != "tanh":
        steps = settings.depth - 1
        theory = [plain_gradient_growth(settings.activation, 2 * gain**2, 1) ** (steps / 2) for gain in settings.grid]
        add_theory_line(spec, settings.grid, theory, "theory, no norm")
    return Chart(spec, lambda results: {"": [_powers(results.value(norm, "gradient"), 0, settings.gains) for norm in NORMS]})


def _signal(settings: GainSettings) -> Chart:
    spec = sweep_chart(
        "signal",
        "Signal at the top",
        "Root mean square of the last layer's output over that of the inputs.",
        "gain of the initial weights",
        "output over input",
        settings.grid,
        _styles(),
        x_log=True,
        y_log=True,
        y_range=_reach(settings),
    )
    return Chart(spec, lambda results: {"": [_powers(results.value(norm, "signal"), -1, settings.gains) for norm in NORMS]})


def _reach(settings: GainSettings) -> tuple[float, float]:
    """Axis range for what goes with the gain to the power of the depth, and for batch norm's own factor."""
    top = max(settings.widest, BATCH_NORM) ** settings.depth
    return settings.widest**-settings.depth / 10, 10 * top


def _styles() -> list[ArmStyle]:
    return [norm_style(norm) for norm in NORMS]


def _powers(logs: FloatArray | None, layer: int, gains: int) -> Series:
    if logs is None:
        return sweep_series(np.full((gains, 1), np.nan))
    row = logs[layer]
    return sweep_series(np.where(np.isfinite(row), 10 ** np.clip(row, -300, 300), row))


def verdict(settings: GainSettings, results: Results) -> Verdict | None:
    """How many decades of gradient the gains span at layer 1, without and with batch norm."""
    if not results.finished():
        return None
    logs = {norm: results.value(norm, "gradient") for norm in NORMS}
    first = {norm: values[0] for norm, values in logs.items() if values is not None}
    if not all(np.isfinite(values).all() for values in first.values()):
        return Verdict(
            None, "Some gradients are beyond the numbers that can be represented: choose fewer layers or smaller gains."
        )
    span = {norm: values.max(axis=0) - values.min(axis=0) for norm, values in first.items()}
    plain, batch = (float(np.median(span[norm])) for norm in NORMS)
    answer = _answer(plain, batch)
    power = {norm: _power(settings, first[norm]) for norm in NORMS}
    kept = power_of_ten(float(np.median(first["batch"])))
    sentence = (
        f"Over these gains the gradient that reaches layer 1 changes by a factor of {times(power_of_ten(plain))} without a norm "
        f"and of {fixed(power_of_ten(batch), 2)} with batch norm. It goes with the gain to the power of "
        f"{spread_words(power['none'])} without{_theory_words(settings)} and of "
        f"{spread_words(power['batch'], 2)} with batch norm, "
        f"where {settings.depth - 1} layers multiply it by {times(kept)} at every gain."
    )
    numbers = {
        "span_none": plain,
        "span_batch": batch,
        "power_none": float(np.median(power["none"])),
        "power_batch": float(np.median(power["batch"])),
        "power_theory": float(settings.depth - 1),
        "decades_batch": float(np.median(first["batch"])),
        "decades_none_at_1": float(np.median(first["none"][settings.gains // 2])),
    }
    return Verdict(answer, sentence, numbers)


def _answer(plain: float, batch: float) -> str | None:
    if plain > MATTERS and batch < NO_MATTER:
        return "plain_only"
    if plain > MATTERS and batch > MATTERS:
        return "both"
    return "neither" if plain < NO_MATTER and batch < NO_MATTER else None


def _power(settings: GainSettings, first: FloatArray) -> FloatArray:
    """Slope of log gradient over log gain, one for each seed."""
    return np.polyfit(np.log10(settings.grid), first, 1)[0]


def _theory_words(settings: GainSettings) -> str:
    return "" if settings.activation == "tanh" else f" (theory: {settings.depth - 1})"


def judge_cure(verdict: Verdict) -> Finding:
    """Both ends: the gain plays no part, and what depth does to the gradient by itself stays within a factor of 10."""
    span, own = verdict.numbers["span_batch"], verdict.numbers["decades_batch"]
    factor, by_depth = fixed(power_of_ten(span), 2), times(power_of_ten(own))
    measured = f"with batch norm the gain changes the gradient by a factor of {factor}, depth by {by_depth}"
    no_part, level = span < NO_MATTER, abs(own) < LEVEL
    return Finding(
        "supported" if no_part and level else "mixed" if no_part or level else "not supported in this setting", measured
    )


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
    references=(HE, IOFFE, YANG),
    caveat=("gain", "deep"),
    claims=(Claim("cures_gradients", "Batch norm cures vanishing and exploding gradients.", IOFFE, "default", judge_cure),),
)
