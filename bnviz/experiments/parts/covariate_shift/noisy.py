"""Batch norm with noise after it: distributions that jitter on purpose, and what that costs."""

from typing import Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import curve_chart, norm_style
from bnviz.charts.numbers import shorts
from bnviz.config.models import ActivationName, Float, Int, NormName, RunConfig
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.kit.training_twins import STAGE
from bnviz.experiments.parts.covariate_shift.sources import SANTURKAR
from bnviz.records.records import PERCENTILES

DRIFT = "pre_activation_drift"
KEEP = ("train_loss", "test_loss", DRIFT, "percentiles", "all_trial_distributions")
NORMS: tuple[NormName, ...] = ("none", "batch", "batch_noisy")
STYLES = tuple(norm_style(norm) for norm in NORMS)
NONE, BATCH, NOISY = range(3)
SHOWN = [PERCENTILES.index(percent) for percent in (15, 50, 85)]
FRAMES = 40


class NoisySettings(Settings):
    """Three nets from the same weights: without a norm, with batch norm, with noise after batch norm."""

    depth: Int = Field(default=12, ge=1, le=20, title="Hidden layers", description="Depth of all three nets.")
    width: Int = Field(default=32, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    activation: ActivationName = Field(default="relu", title="Activation", description="Of the hidden layers.")
    init: Literal["he", "xavier"] = Field(
        default="xavier", title="Initial weights", description="He: std sqrt(2 / inputs). Xavier: sqrt(2 / (inputs + outputs))."
    )
    lr: Float = Field(default=0.1, ge=1e-3, le=10, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=300, ge=10, le=1500, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Triples of nets.")

    @property
    def every(self) -> int:
        """Steps between two measurements."""
        return max(self.steps // FRAMES, 1)


def stages(settings: NoisySettings) -> tuple[Stage, ...]:
    """Three arms side by side."""
    run = RunConfig(
        arms=tuple(twins.arm_of(settings, norm) for norm in NORMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=settings.every,
        extras=("all_trial_distributions",),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: NoisySettings) -> tuple[Chart, ...]:
    """The last layer's pre-activation, the drift of all layers, training and test loss."""
    steps = settings.steps
    band = curve_chart(
        "band",
        "Last layer's input",
        "Median and 15th to 85th percentile of the last hidden pre-activation of the first seed, on the same probe batch.",
        "pre-activation",
        STYLES,
        steps,
    )
    band.y_cap = 8.0
    return (
        Chart(band, _draw_band),
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
            "loss",
            "Training loss",
            "Cross-entropy of the step's own mini-batch, with the noise where there is some.",
            "training loss (nats)",
            STYLES,
            steps,
            "train_loss",
            y_log=True,
        ),
        twins.by_step(
            "test",
            "Test loss",
            "Cross-entropy on unseen samples, with running statistics and without noise.",
            "test loss (nats)",
            STYLES,
            steps,
            "test_loss",
            y_log=True,
        ),
    )


def _draw_band(results: Results) -> dict[str, list]:
    last = results.last(STAGE)
    assert last is not None
    return {"": [shorts(arm.percentiles["pre_activation"][0, -1, SHOWN].tolist()) for arm in last.arms]}


def verdict(settings: NoisySettings, results: Results) -> Verdict | None:
    """Compare the jitter and the final training loss of the noisy net with those of the plain net, seed by seed."""
    if len(results.history(STAGE)) < 2:
        return None
    drift = [twins.over_run(results, DRIFT, arm) for arm in range(3)]
    loss = [twins.final_loss(results, arm) for arm in range(3)]
    jitter = twins.ratio(drift[NOISY], drift[NONE])
    pairs, below = len(loss[NONE]), int((loss[NOISY] < loss[NONE]).sum())
    numbers = {
        "jitter_ratio": jitter.median,
        "jitter_low": jitter.low,
        "jitter_high": jitter.high,
        "jitter_pairs": float(jitter.count),
        "pairs": float(pairs),
        "below": float(below),
        **{f"loss_{norm}": float(np.median(loss[arm])) for arm, norm in enumerate(NORMS)},
    }
    sentence = (
        f"With noise after batch norm the distributions drift {plain(jitter.median)} times as far as without a norm "
        f"({plain(jitter.low)} to {plain(jitter.high)}, {jitter.count} pairs). The training loss ends at "
        f"{twins.middle(loss[NOISY])} with the noise, {twins.middle(loss[NONE])} without a norm and "
        f"{twins.middle(loss[BATCH])} with batch norm alone; the noisy net is below the plain one "
        f"{twins.lower_in(loss[NOISY], loss[NONE])}."
    )
    if not jitter.count:
        sentence = "No pair trained to the end, so there is nothing to compare."
    answer = "better" if below == pairs else "worse" if not below else None
    return Verdict(answer if jitter.count else None, sentence + twins.diverged(results, [s.label for s in STYLES]), numbers)


def judge(found: Verdict) -> Finding:
    """Supported when the noisy net's distributions move more and its loss ends lower, in every pair."""
    numbers = found.numbers
    measured = (
        f"drift times {plain(numbers['jitter_ratio'])}, final loss {plain(numbers['loss_batch_noisy'])} against "
        f"{plain(numbers['loss_none'])} without a norm, lower in {numbers['below']:.0f} of {numbers['pairs']:.0f} pairs"
    )
    holds = (numbers["jitter_low"] > 1) + (numbers["below"] == numbers["pairs"])
    fails = numbers["jitter_high"] < 1 or not numbers["below"]
    return Finding("supported" if holds == 2 else "not supported in this setting" if fails else "mixed", measured)


PART = Part(
    id="noisy",
    title="Shift on purpose",
    question="If noise makes its distributions jitter, does a net with batch norm still end below the plain net's loss?",
    choices=(
        Choice("better", "Yes, it still ends with the lower loss"),
        Choice("worse", "No, then it ends with the higher loss"),
    ),
    settings=NoisySettings,
    presets=(
        Preset(
            "deep",
            "Twelve ReLU layers",
            "The noise moves and stretches each normalized layer anew at every step. Watch the drift, then the loss.",
            NoisySettings(),
        ),
        Preset(
            "sigmoid",
            "Four sigmoid layers",
            "The same with sigmoids, at a learning rate of 1. Watch how long the plain net waits.",
            NoisySettings(depth=4, activation="sigmoid", lr=1.0),
        ),
        Preset(
            "easy",
            "Where the plain net does well",
            "Six layers from He's weights, easy for the plain net. Watch which loss ends lower now.",
            NoisySettings(depth=6, init="he"),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(SANTURKAR,),
    caveat=("noisy", "easy"),
    claims=(
        Claim(
            "noise_does_not_hurt",
            "Batch norm helps even when noise makes its distributions shift more than those of a plain net.",
            SANTURKAR,
            "deep",
            judge,
        ),
    ),
)
