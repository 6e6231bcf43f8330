"""Two things called internal covariate shift, measured on the same twins: moving distributions and moving gradients."""

from typing import Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import layer_chart, norm_style, sweep_series
from bnviz.config.models import ActivationName, Float, Int, RunConfig
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, plain
from bnviz.experiments.kit.training_twins import STAGE
from bnviz.experiments.parts.covariate_shift.sources import IOFFE, SANTURKAR

DRIFT, SHIFT, COSINE = "pre_activation_drift", "shift_relative", "shift_cosine"
KEEP = ("train_loss", DRIFT, "shift", "all_trial_distributions")
STYLES = (norm_style("none"), norm_style("batch"))
FRAMES = 40
ABOVE_FIRST = 1  # index of the second layer: the first has none below it, its gradients cannot shift


class ShiftSettings(Settings):
    """Twins with and without batch norm."""

    depth: Int = Field(default=10, ge=2, le=20, title="Hidden layers", description="Depth of both nets.")
    width: Int = Field(default=32, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    activation: ActivationName = Field(default="relu", title="Activation", description="Of the hidden layers.")
    init: Literal["he", "xavier"] = Field(
        default="xavier", title="Initial weights", description="He: std sqrt(2 / inputs). Xavier: sqrt(2 / (inputs + outputs))."
    )
    lr: Float = Field(default=0.1, ge=1e-3, le=10, title="Learning rate", description="Of plain SGD, the same for both nets.")
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=300, ge=10, le=1000, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Pairs of twins.")

    @property
    def every(self) -> int:
        """Steps between two measurements."""
        return max(self.steps // FRAMES, 1)


def stages(settings: ShiftSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    run = RunConfig(
        arms=(twins.arm_of(settings, "none"), twins.arm_of(settings, "batch")),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=settings.every,
        extras=("all_trial_distributions", "shift"),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: ShiftSettings) -> tuple[Chart, ...]:
    """Drift of the distributions, shift and cosine of the gradients over the steps and by layer, loss."""
    steps = settings.steps
    by_layer = layer_chart(
        "cosine_layers",
        "Cosine by layer",
        "1: the step of the layers below did not turn this layer's gradient. Median over the run so far.",
        "cosine of G and G'",
        STYLES,
        settings.depth,
        y_range=(-1, 1.05),
    )
    return (
        twins.by_step(
            "drift",
            "Drift of distributions",
            f"How far the percentiles of each layer's pre-activation moved in {settings.every} steps; median over the layers.",
            "drift (half-spreads)",
            STYLES,
            steps,
            DRIFT,
            y_log=True,
        ),
        twins.by_step(
            "shift",
            "Shift of gradients",
            "How much a layer's gradient changes when the layers below it step first; median over the layers from the second.",
            "|G - G'| / |G|",
            STYLES,
            steps,
            SHIFT,
            first_layer=ABOVE_FIRST,
        ),
        Chart(by_layer, lambda results: {"": [_cosine_by_layer(results, arm) for arm in (0, 1)]}),
        twins.by_step(
            "loss",
            "Training loss",
            "Cross-entropy of the step's own mini-batch; the lower, the better.",
            "training loss (nats)",
            STYLES,
            steps,
            "train_loss",
            y_log=True,
        ),
    )


def _cosine_by_layer(results: Results, arm: int) -> list:
    return sweep_series(np.nanmedian(results.curve(STAGE, COSINE, arm), axis=0).T)


def verdict(settings: ShiftSettings, results: Results) -> Verdict | None:
    """Compare both kinds of shift and the speed of training, twin by twin."""
    if len(results.history(STAGE)) < 2:  # a drift needs two measurements
        return None
    drift, shift = _ratio(results, DRIFT), _ratio(results, SHIFT)
    none, batch = (twins.mean_loss(results, arm) for arm in (0, 1))
    cosines = [twins.over_run(results, COSINE, arm, ABOVE_FIRST) for arm in (0, 1)]
    numbers = {
        "drift_ratio": drift.median,
        "drift_low": drift.low,
        "drift_high": drift.high,
        "shift_ratio": shift.median,
        "shift_low": shift.low,
        "shift_high": shift.high,
        "cosine_none": float(np.median(cosines[0])),
        "cosine_batch": float(np.median(cosines[1])),
        "pairs": float(shift.count),
        "faster_pairs": float((batch < none).sum()),
    }
    if not drift.count or not shift.count:
        return Verdict(None, "No pair of twins trained to the end, so there is nothing to compare.", numbers)
    return Verdict(_answer(drift, shift), _sentence(results, drift, shift, cosines), numbers)


def _ratio(results: Results, measure: str) -> Spread:
    first = ABOVE_FIRST if measure == SHIFT else 0
    none, batch = (twins.over_run(results, measure, arm, first) for arm in (0, 1))
    return twins.ratio(batch, none)


def _answer(drift: Spread, shift: Spread) -> str | None:
    """By the directions in which all pairs agree."""
    directions = twins.direction(drift), twins.direction(shift)
    return {(-1, -1): "both_fall", (-1, 1): "split", (1, 1): "both_rise", (1, -1): "split_back"}.get(directions)


def _sentence(results: Results, drift: Spread, shift: Spread, cosines: list[twins.FloatArray]) -> str:
    none, batch = (twins.mean_loss(results, arm) for arm in (0, 1))
    split = "" if _answer(drift, shift) else " The pairs do not agree on a direction of both kinds of shift."
    return (
        f"With batch norm the distributions drift {plain(drift.median)} times as far as without ({_span(drift)}), and the "
        f"gradients shift {plain(shift.median)} times as much ({_span(shift)}; cosine {twins.middle(cosines[1])} against "
        f"{twins.middle(cosines[0])}).{split} {twins.faster(batch, none)}{twins.diverged(results, ('no norm', 'batch norm'))}"
    )


def _span(found: Spread) -> str:
    return f"{plain(found.low)} to {plain(found.high)} over {found.count} pairs" if found.count > 1 else "one pair"


def judge_reduced(found: Verdict) -> Finding:
    """Supported when both kinds of shift fall in every pair, mixed when one of them does."""
    fall = (found.numbers["drift_high"] < 1) + (found.numbers["shift_high"] < 1)
    return Finding("supported" if fall == 2 else "mixed" if fall else "not supported in this setting", _measured(found))


def judge_not_reduced(found: Verdict) -> Finding:
    """Supported when the gradients' shift is no smaller in any pair, not supported when it is smaller in all of them."""
    low, high = found.numbers["shift_low"], found.numbers["shift_high"]
    return Finding("supported" if low >= 1 else "not supported in this setting" if high < 1 else "mixed", _measured(found))


def _measured(found: Verdict) -> str:
    numbers = found.numbers
    return (
        f"drift of distributions times {plain(numbers['drift_ratio'])}, shift of gradients times {plain(numbers['shift_ratio'])} "
        f"({plain(numbers['shift_low'])} to {plain(numbers['shift_high'])} over {numbers['pairs']:.0f} pairs)"
    )


PART = Part(
    id="drift_and_shift",
    title="Two kinds of shift",
    question="Does batch norm reduce the shift of the layers' distributions, and of their gradients?",
    choices=(
        Choice("both_fall", "Yes: both shift less"),
        Choice("split", "Distributions less, gradients more"),
        Choice("split_back", "Distributions more, gradients less"),
        Choice("both_rise", "No: both shift more"),
    ),
    settings=ShiftSettings,
    presets=(
        Preset(
            "ten",
            "Ten ReLU layers",
            "Twins of ten layers on digits. Watch the two charts of shift: they measure two things that share a name.",
            ShiftSettings(),
        ),
        Preset(
            "sigmoid",
            "Three sigmoid layers",
            "The activation of the original paper, at a learning rate of 1. Watch the drift together with the loss.",
            ShiftSettings(depth=3, activation="sigmoid", lr=1.0, steps=400),
        ),
        Preset(
            "small_steps",
            "He's weights, small steps",
            "Six layers from larger initial weights at a rate of 0.01. Watch who is faster, and how close the gradients stay.",
            ShiftSettings(depth=6, init="he", lr=0.01),
        ),
        Preset(
            "large_steps",
            "He's weights, large steps",
            "The same six layers at a rate of 0.3. Watch whether the two nets' gradients still differ in their shift.",
            ShiftSettings(depth=6, init="he", lr=0.3),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, SANTURKAR),
    caveat=("drift_and_shift", "large_steps"),
    claims=(
        Claim("covariate_shift", "Batch norm reduces internal covariate shift.", IOFFE, "ten", judge_reduced),
        Claim(
            "shift_not_reduced",
            "Measured by the gradients, batch norm does not reduce internal covariate shift.",
            SANTURKAR,
            "ten",
            judge_not_reduced,
        ),
    ),
)
