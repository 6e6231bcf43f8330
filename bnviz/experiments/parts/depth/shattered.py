"""Whether neighbouring inputs have similar gradients after many layers."""

from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, layer_chart, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.closed_forms.plain_nets import plain_line_autocorrelation
from bnviz.config.models import Float, Int
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import fixed, plain
from bnviz.experiments.parts.depth.common import BALDUZZI, FloatArray, spread_words

READ_OUTS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 50)  # hidden layers, as far as the net goes
POINTS, LINE_LENGTH = 256, 4.0  # inputs on the line from -2 to 2
LAGS = 64  # of the autocorrelation, in points
NOISE = 2 / POINTS**0.5  # white noise stays below this with 95 % probability


class ShatterSettings(Settings):
    """Fresh ReLU networks along a line of inputs."""

    depth: Int = Field(default=32, ge=2, le=50, title="Hidden layers", description="Depth at which the verdict is taken.")
    width: Int = Field(default=128, ge=16, le=160, title="Width", description="Units of a hidden layer.")
    distance: Float = Field(
        default=0.06, ge=0.016, le=0.5, title="Distance", description="Between two inputs; the line is 4 long."
    )
    beta: Float = Field(
        default=0.0, ge=0, le=5, title="Beta", description="Shift of the batch norms, in the net with and without skips."
    )
    seeds: Int = Field(default=8, ge=2, le=12, title="Seeds", description="Networks of each arm.")

    @property
    def depths(self) -> tuple[int, ...]:
        """Hidden layers that are read out, the deepest last."""
        return (*(depth for depth in READ_OUTS if depth < self.depth), self.depth)

    @property
    def lag(self) -> int:
        """The distance in points of the line, at least 1."""
        return min(max(round(self.distance * (POINTS - 1) / LINE_LENGTH), 1), LAGS - 1)


def arms(settings: ShatterSettings) -> dict[str, tuple[ArmStyle, dict[str, Any]]]:
    """Style and fields of every arm."""
    batch = {"norm": "batch", "beta_init": settings.beta}
    skips = replace(plain_styles(["batch norm, skips"])[0], dash="dashdot")
    return {
        "none": (norm_style("none"), {"norm": "none"}),
        "batch": (norm_style("batch"), batch),
        "residual": (skips, batch | {"residual": True}),
    }


def stages(settings: ShatterSettings) -> tuple[Stage, ...]:
    """A probe for every arm."""
    seconds = len(settings.depths) * settings.depth * settings.seeds * (1e-5 + 3e-11 * POINTS * settings.width**2)
    shared = {"depths": settings.depths, "points": POINTS, "lags": LAGS, "trials": settings.seeds}
    return tuple(
        Stage(
            key,
            style.label,
            probe="shattered",
            options={"arm": {"depth": settings.depth, "width": settings.width, **fields}, **shared},
            seconds=seconds,
        )
        for key, (style, fields) in arms(settings).items()
    )


def charts(settings: ShatterSettings) -> tuple[Chart, ...]:
    """The gradient along the line, its autocorrelation at the deepest layer, and that of neighbours by depth."""
    return _along_the_line(settings), _by_depth(settings), _by_distance(settings)


def _styles(settings: ShatterSettings) -> list[ArmStyle]:
    return [style for style, _ in arms(settings).values()]


def _along_the_line(settings: ShatterSettings) -> Chart:
    how = "First network, its newest read-out. A line that wanders: neighbours have similar gradients. One that jumps: noise."
    line = np.linspace(-2, 2, POINTS)
    spec = sweep_chart(
        "line", "Gradient along the line", how, "input t", "df/dt over its rms", line.tolist(), _styles(settings), markers=False
    )
    spec.wide = True

    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [sweep_series(_newest(results.value(key, "gradient"))[:, None]) for key in arms(settings)]}

    return Chart(spec, draw)


def _newest(lines: FloatArray | None) -> FloatArray:
    """The last row that is measured, of (depths, points); NaN for none."""
    if lines is None:
        return np.full(POINTS, np.nan)
    return lines[np.flatnonzero(np.isfinite(lines[:, 0]))[-1]] if np.isfinite(lines[:, 0]).any() else np.full(POINTS, np.nan)


def _by_depth(settings: ShatterSettings) -> Chart:
    how = (
        f"Of two inputs {plain(_distance(settings), 2)} apart. At 1 they agree; inside the grey lines they are as good as noise."
    )
    spec = layer_chart(
        "by_depth", "Agreement by depth", how, "autocorrelation of df/dt", _styles(settings), settings.depths, markers=True
    )
    spec.layout["xaxis"] |= {"dtick": 1 if settings.depth <= 12 else 5, "tick0": 0}
    line = np.linspace(-2, 2, POINTS)
    wide = [plain_line_autocorrelation(line, depth)[settings.lag] for depth in settings.depths]
    add_theory_line(spec, settings.depths, wide, "theory, wide net without a norm")
    ends = [settings.depths[0], settings.depths[-1]]
    add_theory_line(spec, [*ends, np.nan, *ends], [NOISE, NOISE, np.nan, -NOISE, -NOISE], "noise, 95 %")

    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [sweep_series(_agreement(results, key, settings)) for key in arms(settings)]}

    return Chart(spec, draw)


def _by_distance(settings: ShatterSettings) -> Chart:
    distances = [lag * LINE_LENGTH / (POINTS - 1) for lag in range(LAGS)]
    how = "At the newest read-out. Brown noise falls slowly with the distance, white noise at once."
    spec = sweep_chart(
        "by_distance",
        "Agreement by distance",
        how,
        "distance of two inputs",
        "autocorrelation of df/dt",
        distances,
        _styles(settings),
        markers=False,
    )

    def draw(results: Results) -> dict[str, list[Any]]:
        series = []
        for key in arms(settings):
            values = results.value(key, "autocorrelation")
            known = [] if values is None else [row for row in values if np.isfinite(row[:, 0]).all()]
            series.append(sweep_series(known[-1].T if known else np.full((LAGS, 1), np.nan)))
        return {"": series}

    return Chart(spec, draw)


def _distance(settings: ShatterSettings) -> float:
    return settings.lag * LINE_LENGTH / (POINTS - 1)


def _agreement(results: Results, key: str, settings: ShatterSettings) -> FloatArray:
    """Autocorrelation at the chosen distance, (depths, trials); NaN where it is not measured."""
    values = results.value(key, "autocorrelation")
    return np.full((len(settings.depths), 1), np.nan) if values is None else values[:, :, settings.lag]


def verdict(settings: ShatterSettings, results: Results) -> Verdict | None:
    """Autocorrelation of neighbours' gradients at the deepest layer, against what white noise gives."""
    if not results.finished():
        return None
    last = {key: _agreement(results, key, settings)[-1] for key in arms(settings)}
    last = {key: values[np.isfinite(values)] for key, values in last.items()}
    if not all(len(values) for values in last.values()):
        return Verdict(None, "Some gradients are 0 along the whole line: they have no autocorrelation.")
    middle = {key: float(np.median(values)) for key, values in last.items()}
    keeps = {key: value > NOISE for key, value in middle.items()}
    answer = "all" if all(keeps.values()) else "none" if not any(keeps.values()) else None
    if keeps["residual"] and not keeps["batch"]:
        answer = "skips"
    sentence = (
        f"After {settings.depth} layers the gradients at two inputs {plain(_distance(settings), 2)} apart have a correlation of "
        f"{spread_words(last['batch'], 2)} with batch norm, {spread_words(last['residual'], 2)} with batch norm and skips and "
        f"{spread_words(last['none'], 2)} without a norm. White noise stays below {fixed(NOISE, 3)}."
    )
    return Verdict(answer, sentence, {**{f"correlation_{key}": value for key, value in middle.items()}, "noise": NOISE})


def judge_shattering(verdict: Verdict) -> Finding:
    """Supported when the batch-norm net's gradients are noise and those of the one with skips are not."""
    numbers = verdict.numbers
    batch, residual = (plain(numbers[f"correlation_{name}"], 2) for name in ("batch", "residual"))
    measured = f"correlation {batch} without, {residual} with skips"
    if verdict.answer == "skips":
        return Finding("supported", measured)
    less = numbers["correlation_batch"] < numbers["correlation_residual"]
    return Finding("mixed" if less else "not supported in this setting", measured)


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
