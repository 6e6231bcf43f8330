"""Inputs on very different scales: as they are, standardized, and with a batch norm on the input."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, category_chart, plain_styles, sweep_series
from bnviz.config.models import ArmConfig, DatasetConfig, Float, InputScale, Int, RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled, laid_on, stacked, unknown
from bnviz.experiments.kit.learning import guessing_loss, steps_until
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import joined, listed, say
from bnviz.experiments.kit.sources import IOFFE_2015, LECUN
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.trials import decades, swept_stage
from bnviz.registry.datasets import DATASETS

RAW, NORMED, STANDARDIZED = NETS = ("as they are", "batch norm on the input", "standardized")  # names of the nets
STYLES: Styles = dict(zip(NETS, plain_styles(NETS), strict=True))
STAGES: dict[InputScale, tuple[str, ...]] = {"spread": (RAW, NORMED), "standardized": (STANDARDIZED,)}
CONDITIONS = {RAW: "input_condition_before", NORMED: "input_condition_after", STANDARDIZED: "input_condition_before"}
TARGET_SHARE = 0.3  # of the loss of guessing
AS_MUCH = 1.5  # steps within this factor of those with standardized inputs are as few
LATE = 3  # measurements over which the final loss is averaged
KEEP = ("train_loss", "input_condition")
FRAMES = 40
SPEED = Quantity(
    "train_loss",
    "Steps to target",
    "Updates until the training loss is below {target:.3g}; no point: it never was.",
    "steps (updates)",
)
LOSS = Quantity(
    "train_loss",
    "Loss, best rate",
    "Training loss at the rate that is best for each net so far. Dotted: the target.",
    "training loss (nats)",
    log=True,
)


class ScaleSettings(Settings):
    """A small net without any norm in its hidden layers, on features of very different sizes."""

    dataset: Literal["wine", "breast_cancer", "digits"] = Field(
        default="wine", title="Data", description="Standardized features, then multiplied by factors from 0.001 to 1000."
    )
    depth: Int = knobs.depth(1, most=4, of="Depth of the net.")
    width: Int = knobs.width(16, most=64)
    batch_size: Int = knobs.batch_size(32, most=64, least=8)
    eps: Float = Field(
        default=1e-5, ge=0, le=0.1, title="Epsilon", description="Added to the variance of the norm on the input; 1e-5 is usual."
    )
    rates: Int = Field(
        default=13, ge=4, le=20, title="Rates", description="Learning rates from 0.000001 to 1: the best one counts."
    )
    seeds: Int = knobs.seeds(5, most=6, of="Networks at every rate.")
    steps: Int = knobs.steps(400, most=2000, least=50, of="Updates of plain SGD.")

    @property
    def values(self) -> tuple[float, ...]:
        """The learning rates."""
        return decades(1e-6, 1.0, self.rates)

    @property
    def target(self) -> float:
        """The training loss to reach."""
        return TARGET_SHARE * guessing_loss(DATASETS[self.dataset].classes)

    def run(self, scale: InputScale) -> RunConfig:
        """The nets on features of a scale, at one rate."""
        return RunConfig(
            dataset=DatasetConfig(name=self.dataset, input_scale=scale),
            arms=tuple(
                ArmConfig(norm_on_input=net == NORMED, norm_eps=self.eps, depth=self.depth, width=self.width)
                for net in STAGES[scale]
            ),
            batch_size=self.batch_size,
            steps=self.steps,
            measure_every=max(self.steps // FRAMES, 1),
        )


def stages(settings: ScaleSettings) -> tuple[Stage, ...]:
    """The spread features with both nets, then the standardized ones with the net without a norm."""
    labels: dict[InputScale, str] = {"spread": "features on many scales", "standardized": "standardized features"}
    return tuple(
        replace(
            swept_stage(scale, label, settings.run(scale), "lr", settings.values, settings.seeds, KEEP), arm_names=STAGES[scale]
        )
        for scale, label in labels.items()
    )


@dataclass(frozen=True)
class Best:
    """What a net reached at the rate that was best for it: fewest median steps, then lowest final loss."""

    rate: float
    steps: FloatArray  # to the target, (seeds,); infinite where it was not reached
    curves: Labelled  # loss, by step and seed


def _stage_of(net: str) -> str:
    return next(scale for scale, nets in STAGES.items() if net in nets)


def steps_by_rate(settings: ScaleSettings, results: Results) -> Labelled:
    """Steps to the target loss by net, rate and seed: infinite where it was not reached, NaN for nets not measured yet."""
    blank = unknown(lr=settings.values, seed=tuple(range(settings.seeds)))
    found = {key: steps_until(results, settings.target, key) for key in STAGES if results.last(key) is not None}
    return stacked("arm", {net: found[key].at(arm=net) if (key := _stage_of(net)) in found else blank for net in NETS})


def best(settings: ScaleSettings, results: Results, net: str) -> Best | None:
    """A net at its best rate; None before it was measured."""
    if results.last(_stage_of(net)) is None:
        return None
    steps = steps_by_rate(settings, results).at(arm=net)
    losses = results.over_steps("train_loss", _stage_of(net)).at(arm=net)
    last = losses.since("step", losses.axes["step"][-LATE:][0])
    final = last.over("step", np.mean).map(lambda means: np.where(np.isfinite(means), means, np.inf))

    def order(rate: float) -> tuple[float, float]:
        return spread_of(steps.at(lr=rate).values).median, spread_of(final.at(lr=rate).values).median

    rate = min(settings.values, key=order)
    return Best(rate, steps.at(lr=rate).values, losses.at(lr=rate))


def conditions(results: Results) -> dict[str, float]:
    """Condition number of each net's inputs, of those measured so far."""
    measured = [net for net in NETS if results.last(_stage_of(net)) is not None]
    found = {net: results.newest(CONDITIONS[net], _stage_of(net)).at(arm=net) for net in measured}
    return {net: float(values.values.flat[0]) for net, values in found.items()}


def charts(settings: ScaleSettings) -> tuple[Chart, ...]:
    """Steps to the target by rate, loss at the best rate, condition numbers."""
    return _steps_chart(settings), _loss_chart(settings), _condition_chart()


def _steps_chart(settings: ScaleSettings) -> Chart:
    def take(results: Results) -> Labelled:
        return steps_by_rate(settings, results).map(lambda steps: np.where(np.isinf(steps), np.nan, steps))

    rates = Swept("lr", settings.values, "learning rate", log=True)
    speed = replace(SPEED.worded(target=settings.target), range=(0, settings.steps))
    return speed.by_value("steps", STYLES, rates, take)


def _loss_chart(settings: ScaleSettings) -> Chart:
    steps = measured_steps(settings.run("spread"))
    blank = unknown(step=steps, seed=tuple(range(settings.seeds)))

    def take(results: Results) -> Labelled:
        found = {net: best(settings, results, net) for net in NETS}
        return stacked("arm", {net: laid_on(each.curves, "step", steps) if each else blank for net, each in found.items()})

    chart = LOSS.by_value("loss", STYLES, Swept("step", steps, "step (updates)"), take, markers=False)
    add_level(chart.spec, settings.target, "target")
    return chart


def _condition_chart() -> Chart:
    how = "Largest over smallest eigenvalue of the inputs' second moments. 1: uncorrelated and on one scale."
    styles = plain_styles(("inputs",))
    spec = category_chart("condition", "Condition number", how, "condition number", NETS, styles, y_log=True, y_range=(1, 1e20))
    add_level(spec, 1.0, "uncorrelated", fit=False)

    def draw(results: Results) -> dict[str, list[Any]]:
        found = conditions(results)
        values = np.array([[found.get(net, np.nan)] for net in NETS])
        return {"": [sweep_series(np.where(np.isinf(values), np.nan, values))]}

    return Chart(spec, draw)


def verdict(settings: ScaleSettings, results: Results) -> Verdict | None:
    """Compare the steps to the target at each net's best rate, and the condition numbers."""
    if not results.finished():
        return None
    steps = {net: found.steps for net in NETS if (found := best(settings, results, net))}
    ratio = spread_of(_ratio(steps[NORMED], steps[STANDARDIZED]), of="pairs")
    gain = spread_of(_ratio(steps[RAW], steps[NORMED]), of="pairs")
    condition = conditions(results)
    numbers: dict[str, Spread | float] = {
        "steps_raw": spread_of(steps[RAW]),
        "steps_norm": spread_of(steps[NORMED]),
        "steps_standardized": spread_of(steps[STANDARDIZED]),
        "ratio": ratio,
        "gain": gain,
        "condition_raw": condition[RAW],
        "condition_norm": condition[NORMED],
        "condition_standardized": condition[STANDARDIZED],
    }
    answer = None if not ratio.count else "as_much" if ratio.median <= AS_MUCH else "partly" if gain.median > AS_MUCH else "none"
    return Verdict(answer, _headline(ratio), numbers, joined(_steps(settings, steps), _conditions(condition)))


def _headline(ratio: Spread) -> str:
    if not ratio.count:
        return "With standardized inputs the net did not come to the target in any pair, so there is no ratio of steps."
    if np.isinf(ratio.median):
        return (
            "With batch norm on the input half of the nets or more did not come to the target, with standardized inputs they did."
        )
    return say(
        "With batch norm on the input the net needs {ratio:median} times the steps that it needs with standardized inputs "
        "({ratio:range}).",
        ratio=ratio,
    )


def _ratio(steps: FloatArray, other: FloatArray) -> FloatArray:
    """Paired ratios; infinite where only `steps` is, NaN where `other` never got there."""
    return np.where(np.isinf(other), np.nan, np.maximum(steps, 1) / np.maximum(np.where(np.isinf(other), 1, other), 1))


def _steps(settings: ScaleSettings, steps: dict[str, FloatArray]) -> str:
    """What each net needed at its best rate."""
    told = [f"{net} {_steps_of(settings, spread_of(found))}" for net, found in steps.items()]
    return f"Steps to the target, each net at its best of {settings.rates} rates: {listed(told)}."


def _steps_of(settings: ScaleSettings, found: Spread) -> str:
    """'120 (100 to 130)' or 'not in 400'."""
    if np.isinf(found.median):
        return f"not in {settings.steps}"
    low, high = (f"{value:.0f}" if np.isfinite(value) else "never" for value in (found.low, found.high))
    return f"{found.median:.0f} ({low} to {high} over {found.count} {found.of})"


def _conditions(condition: dict[str, float]) -> str:
    parts = listed([f"{net} {number(value)}" for net, value in condition.items()])
    return f"Condition number: {parts}; what is above 1 after standardizing is correlation, which batch norm leaves."


judge = rule(
    "steps to the target {ratio:median} times those with standardized inputs ({ratio:range})",
    supported=answered("as_much"),
    mixed=answered("partly"),
)


PART = Part(
    id="scale",
    title="Input scale",
    question="Features on scales from 0.001 to 1000: does batch norm on the input do what standardizing does?",
    choices=(
        Choice("as_much", "Yes, as well"),
        Choice("partly", "It helps, but less"),
        Choice("none", "It does not help"),
    ),
    settings=ScaleSettings,
    presets=(
        Preset(
            "wine",
            "Wine",
            "13 measurements of 178 wines. Watch at which learning rates each net reaches the target at all.",
            ScaleSettings(),
        ),
        Preset(
            "correlated",
            "Correlated features",
            "30 measurements of cell nuclei, many nearly copies of others. Watch the condition number after standardizing.",
            ScaleSettings(dataset="breast_cancer"),
        ),
        Preset(
            "large_eps",
            "A large epsilon",
            "An epsilon of 0.1, above the variance of the small features. Watch the condition number of batch norm on the input.",
            ScaleSettings(eps=0.1),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LECUN.at("section 4.3"), IOFFE_2015),
    caveat=("scale", "correlated"),
    claims=(Claim("unscaled_inputs", "With batch norm on the input, inputs need not be scaled.", IOFFE_2015, "wine", judge),),
)
