"""Batch norm with noise after it: distributions that jitter on purpose, and what that costs."""

from dataclasses import replace
from typing import Literal

import numpy as np

from bnviz.charts.builders import curve_chart
from bnviz.charts.numbers import shorts
from bnviz.config.models import ActivationName, Float, Int, NormName, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.learning import LAST_SHARE
from bnviz.experiments.kit.quantities import Quantity, norm_styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, all_below, rule, when
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import SANTURKAR
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite
from bnviz.experiments.kit.twins import BATCH, NONE
from bnviz.experiments.parts.covariate_shift.drift_and_shift import DRIFT

FRAMES = 40
NOISY = "batch_noisy"
NORMS: tuple[NormName, ...] = ("none", "batch", "batch_noisy")
STYLES = norm_styles(*NORMS)
SHOWN = (15, 50, 85)  # percentiles
PRE_ACTIVATION = "pre_activation_percentiles"
TRAIN_LOSS = replace(twins.LOSS, how="Cross-entropy of the step's own mini-batch, with the noise where there is some.")
TEST_LOSS = Quantity(
    "test_loss",
    "Test loss",
    "Cross-entropy on unseen samples, with running statistics and without noise.",
    "test loss (nats)",
    log=True,
)
KEEP = (TRAIN_LOSS.measure, TEST_LOSS.measure, DRIFT.measure, "percentiles", "all_trial_distributions")


class NoisySettings(Settings):
    """Three nets from the same weights: without a norm, with batch norm, with noise after batch norm."""

    depth: Int = knobs.depth(12, most=20, of="Depth of all three nets.")
    width: Int = knobs.width(32, most=64)
    activation: ActivationName = knobs.activation()
    init: Literal["he", "xavier"] = knobs.initial_weights()
    lr: Float = knobs.learning_rate(0.1, most=10, of="Of plain SGD, the same for all nets.")
    batch_size: Int = knobs.batch_size(64)
    steps: Int = knobs.steps(300, most=1500)
    seeds: Int = knobs.seeds(4, most=8, of="Triples of nets.")

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
    return (Stage("training", "training", run, KEEP),)


def charts(settings: NoisySettings) -> tuple[Chart, ...]:
    """The last layer's pre-activation, the drift of all layers, training and test loss."""
    return (
        _last_layer(settings),
        DRIFT.worded(every=settings.every).by_step("drift", STYLES, settings.steps),
        TRAIN_LOSS.by_step("loss", STYLES, settings.steps),
        TEST_LOSS.by_step("test", STYLES, settings.steps),
    )


def _last_layer(settings: NoisySettings) -> Chart:
    spec = curve_chart(
        "band",
        "Last layer's input",
        "Median and 15th to 85th percentile of the last hidden pre-activation of the first seed, on the same probe batch.",
        "pre-activation",
        tuple(STYLES.values()),
        settings.steps,
    )
    spec.y_cap = 8.0
    return Chart(spec, lambda results: {"": _band(results.newest(PRE_ACTIVATION).at(seed=0, layer=settings.depth))})


def _band(found: Labelled) -> list[Series]:
    """The percentiles that are shown of every net, from axes arm and percentile."""
    return [shorts([float(found.at(arm=arm, percentile=percent).values) for percent in SHOWN]) for arm in STYLES]


def last_losses(results: Results) -> Labelled:
    """Train loss averaged over the last tenth of the measurements, by arm and seed; infinite once diverged."""
    losses = results.over_steps("train_loss")
    steps = losses.axes["step"]
    recent = losses.since("step", steps[-max(round(LAST_SHARE * len(steps)), 1)]).over("step", np.mean)
    return recent.map(lambda values: np.where(np.isfinite(values), values, np.inf))


def verdict(settings: NoisySettings, results: Results) -> Verdict | None:
    """Compare the drift and the final training loss of the noisy net with those of the plain net, seed by seed."""
    if len(results.history("training")) < 2:  # a drift needs two measurements
        return None
    loss, drift = last_losses(results), DRIFT.ratio(results, NOISY, NONE)
    pairs, below = settings.seeds, int((loss.at(arm=NOISY).values < loss.at(arm=NONE).values).sum())
    numbers = {
        "drift": drift,
        "pairs": float(pairs),
        "below": float(below),
        **{f"loss_{norm}": spread_of(loss.at(arm=norm).values) for norm in NORMS},
    }
    diverged = twins.diverged(results, styles=STYLES)
    if not drift.count:
        return Verdict(None, twins.NOTHING_TO_COMPARE, numbers, diverged)
    answer = "better" if below == pairs else "worse" if not below else None
    return Verdict(answer, _headline(loss, below), numbers, joined(_details(drift), diverged))


def _headline(loss: Labelled, below: int) -> str:
    return say(
        "The noisy net ends with a lower training loss than the plain net in {below} of {pairs} pairs: {noisy} with noise after "
        "batch norm, {none} without a norm and {batch} with batch norm alone.",
        below=below,
        pairs=len(loss.axes["seed"]),
        noisy=spread_of_finite(loss.at(arm=NOISY).values),
        none=spread_of_finite(loss.at(arm=NONE).values),
        batch=spread_of_finite(loss.at(arm=BATCH).values),
    )


def _details(drift: Spread) -> str:
    return say(
        "The noise makes the distributions drift {drift:median} times as far as in the plain net ({drift:range}).", drift=drift
    )


judge = rule(
    "drift times {drift}, final loss {loss_batch_noisy:median} against {loss_none:median} without a norm, "
    "lower in {below} of {pairs} pairs",
    supported=all_above("drift", 1) & when(lambda numbers: numbers["below"] == numbers["pairs"]),
    against=all_below("drift", 1) | all_below("below", 1),
)

PART = Part(
    id="noisy",
    title="Shift on purpose",
    question="If noise makes its distributions jitter, does batch norm still end with a lower loss than the plain net?",
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
