"""The gradients' shift where nothing else happens: a deep linear net, the whole training set as one batch."""

from typing import Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import layer_chart, norm_style, sweep_series
from bnviz.config.models import DatasetConfig, Float, Int, RunConfig
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, plain, spread_of
from bnviz.experiments.kit.training_twins import STAGE
from bnviz.experiments.parts.covariate_shift.sources import SANTURKAR

SHIFT, COSINE = "shift_relative", "shift_cosine"
KEEP = ("train_loss", "shift")
STYLES = (norm_style("none"), norm_style("batch"))
FRAMES = 20
ABOVE_FIRST = 1
ALIKE = 0.02  # cosines that differ by less count as the same: a turn by 11 degrees from 1


class LinearSettings(Settings):
    """Twins of linear layers."""

    depth: Int = Field(default=25, ge=2, le=30, title="Hidden layers", description="Linear layers of both nets.")
    width: Int = Field(default=16, ge=4, le=48, title="Width", description="Units of a hidden layer.")
    init: Literal["xavier", "orthogonal"] = Field(
        default="xavier", title="Initial weights", description="Xavier: random. Orthogonal: each layer only turns its input."
    )
    lr: Float = Field(default=0.01, ge=1e-4, le=1, title="Learning rate", description="Of gradient descent, for both nets.")
    samples: Int = Field(default=100, ge=16, le=400, title="Samples", description="Digits; all of them are one batch.")
    steps: Int = Field(default=100, ge=10, le=400, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Pairs of twins.")


def stages(settings: LinearSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    run = RunConfig(
        dataset=DatasetConfig(train_size=settings.samples),
        arms=tuple(twins.arm_of(settings, norm, activation="linear") for norm in ("none", "batch")),
        trials=settings.seeds,
        batch_size=settings.samples,
        steps=settings.steps,
        measure_every=max(settings.steps // FRAMES, 1),
        extras=("shift",),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: LinearSettings) -> tuple[Chart, ...]:
    """Cosine over the steps and by layer, relative shift, loss."""
    steps = settings.steps
    by_layer = layer_chart(
        "layers",
        "Cosine by layer",
        "1: the step of the layers below did not turn this layer's gradient. At this step.",
        "cosine of G and G'",
        STYLES,
        settings.depth,
        y_range=(-1, 1.05),
    )
    return (
        twins.by_step(
            "cosine",
            "Cosine over the steps",
            "Between a layer's gradient before and after the layers below it stepped; median over the layers from the second.",
            "cosine of G and G'",
            STYLES,
            steps,
            COSINE,
            first_layer=ABOVE_FIRST,
            y_range=(-1, 1.05),
        ),
        Chart(by_layer, _draw_layers),
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
        twins.by_step(
            "loss",
            "Training loss",
            "Cross-entropy of all training samples, which are one batch.",
            "training loss (nats)",
            STYLES,
            steps,
            "train_loss",
            y_log=True,
        ),
    )


def _draw_layers(results: Results) -> dict[str, list]:
    last = results.last(STAGE)
    assert last is not None
    return {"": [sweep_series(np.asarray(arm.extras[COSINE]).T) for arm in last.arms]}


def verdict(settings: LinearSettings, results: Results) -> Verdict | None:
    """Compare the typical cosines, twin by twin."""
    if not results.history(STAGE):
        return None
    none, batch = (twins.over_run(results, COSINE, arm, ABOVE_FIRST) for arm in (0, 1))
    known = np.isfinite(none) & np.isfinite(batch)
    gap, of_none, of_batch = (spread_of(values[known]) for values in (batch - none, none, batch))
    losses = [twins.mean_loss(results, arm) for arm in (0, 1)]
    numbers = {
        "cosine_none": of_none.median,
        "cosine_none_low": of_none.low,
        "cosine_batch": of_batch.median,
        "gap_low": gap.low,
        "gap_high": gap.high,
        "pairs": float(gap.count),
        "faster_pairs": float((losses[1] < losses[0]).sum()),
    }
    if not gap.count:
        return Verdict(None, "No pair of twins trained to the end, so there is nothing to compare.", numbers)
    sentence = (
        f"The step of the layers below turns a layer's gradient to a cosine of {_with_range(of_none)} without a norm and of "
        f"{_with_range(of_batch)} with batch norm ({gap.count} pairs). {twins.faster(losses[1], losses[0])}"
    )
    return Verdict(_answer(gap), sentence + twins.diverged(results, ("no norm", "batch norm")), numbers)


def _with_range(found: Spread) -> str:
    return f"{plain(found.median)} ({plain(found.low)} to {plain(found.high)})"


def _answer(gap: Spread) -> str | None:
    """By what holds in every pair."""
    if max(abs(gap.low), abs(gap.high)) < ALIKE:
        return "same"
    return "lower" if gap.high < 0 else "higher" if gap.low > 0 else None


def judge(found: Verdict) -> Finding:
    """Supported when the cosine is lower with batch norm in every pair by more than what counts as the same."""
    numbers = found.numbers
    measured = f"cosine {plain(numbers['cosine_batch'])} with batch norm, {plain(numbers['cosine_none'])} without"
    low, high = numbers["gap_low"], numbers["gap_high"]
    return Finding("supported" if high < -ALIKE else "not supported in this setting" if low > -ALIKE else "mixed", measured)


PART = Part(
    id="deep_linear",
    title="Deep linear nets",
    question="In a deep linear net, does batch norm keep a layer's gradient from turning when the layers below it step?",
    choices=(
        Choice("higher", "Yes, it turns less with batch norm"),
        Choice("same", "It makes no difference"),
        Choice("lower", "No, it turns more with batch norm"),
    ),
    settings=LinearSettings,
    presets=(
        Preset(
            "random",
            "Twenty-five random layers",
            "Linear layers and the whole training set as one batch: no noise, no activation. Watch the cosines part.",
            LinearSettings(),
        ),
        Preset(
            "fast",
            "Larger steps",
            "Three times the learning rate. Watch what becomes of the plain net's cosine.",
            LinearSettings(lr=0.03),
        ),
        Preset(
            "orthogonal",
            "Orthogonal layers",
            "The same from orthogonal weights, which stretch nothing. Watch whether batch norm still matters.",
            LinearSettings(init="orthogonal"),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(SANTURKAR,),
    caveat=("deep_linear", "orthogonal"),
    claims=(
        Claim(
            "shift_in_linear_nets",
            "In deep linear nets batch norm makes the layers' gradients shift more, not less.",
            SANTURKAR,
            "random",
            judge,
        ),
    ),
)
