"""Two things called internal covariate shift, measured on the same twins: moving distributions and moving gradients."""

from typing import Literal

import numpy as np

from bnviz.config.models import ActivationName, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_at_least, all_below, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import IOFFE_2015, SANTURKAR
from bnviz.experiments.kit.spread import Spread
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES

FRAMES = 40
SECOND = 2  # layer: the first has none below it, its gradients cannot shift
DRIFT = Quantity(
    "pre_activation_drift",
    "Drift of distributions",
    "How far the percentiles of each layer's pre-activation moved in {every} steps; median over the layers.",
    "drift (half-spreads)",
    log=True,
)
SHIFT = Quantity(
    "shift_relative",
    "Shift of gradients",
    "How much a layer's gradient changes when the layers below it step first; median over the layers from the second.",
    "|G - G'| / |G|",
    first_layer=SECOND,
)
COSINE = Quantity(
    "shift_cosine",
    "Cosine by layer",
    "1: the step of the layers below did not turn this layer's gradient. Median over the run so far.",
    "cosine of G and G'",
    range=(-1, 1.05),
    first_layer=SECOND,
)
KEEP = (twins.LOSS.measure, DRIFT.measure, "shift", "all_trial_distributions")
DIRECTIONS = {(-1, -1): "both_fall", (-1, 1): "split", (1, 1): "both_rise", (1, -1): "split_back"}


class ShiftSettings(Settings):
    """Twins with and without batch norm."""

    depth: Int = knobs.depth(10, most=20, least=2)
    width: Int = knobs.width(32, most=64)
    activation: ActivationName = knobs.activation()
    init: Literal["he", "xavier"] = knobs.initial_weights()
    lr: Float = knobs.learning_rate(0.1, most=10)
    batch_size: Int = knobs.batch_size(64)
    steps: Int = knobs.steps(300, most=1000)
    seeds: Int = knobs.seeds(4, most=8)

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
    return (Stage("training", "training", run, KEEP),)


def charts(settings: ShiftSettings) -> tuple[Chart, ...]:
    """Drift of the distributions, shift and cosine of the gradients over the steps and by layer, loss."""
    drift = DRIFT.worded(every=settings.every)
    return (
        drift.by_step("drift", STYLES, settings.steps),
        SHIFT.by_step("shift", STYLES, settings.steps),
        COSINE.by_layer("cosine_layers", STYLES, settings.depth, _cosines),
        twins.LOSS.by_step("loss", STYLES, settings.steps),
    )


def _cosines(results: Results) -> Labelled:
    """Median over the run so far, by arm, seed and layer, the first one too."""
    return results.over_steps(COSINE.measure).over("step", np.nanmedian)


def verdict(settings: ShiftSettings, results: Results) -> Verdict | None:
    """Compare both kinds of shift and the speed of training, twin by twin."""
    if len(results.history("training")) < 2:  # a drift needs two measurements
        return None
    drift, shift = (quantity.ratio(results, BATCH, NONE) for quantity in (DRIFT, SHIFT))
    cosines = COSINE.over_run(results)
    numbers = {
        "drift": drift,
        "shift": shift,
        "cosine_none": float(np.median(cosines.at(arm=NONE).values)),
        "cosine_batch": float(np.median(cosines.at(arm=BATCH).values)),
        "faster_pairs": float(twins.faster_pairs(results)),
    }
    if not drift.count or not shift.count:
        return Verdict(None, twins.NOTHING_TO_COMPARE, numbers)
    answer = DIRECTIONS.get((drift.direction, shift.direction))
    return Verdict(answer, _headline(drift, shift, cosines), numbers, _details(answer, results))


def _headline(drift: Spread, shift: Spread, cosines: Labelled) -> str:
    return say(
        "With batch norm the distributions drift {drift:median} times as far as without ({drift:range}), and the gradients shift "
        "{shift:median} times as much ({shift:range}; cosine {batch} against {none}).",
        drift=drift,
        shift=shift,
        batch=twins.middle(cosines.at(arm=BATCH).values),
        none=twins.middle(cosines.at(arm=NONE).values),
    )


def _details(answer: str | None, results: Results) -> str:
    split = "" if answer else "The pairs do not agree on a direction of both kinds of shift."
    return joined(split, twins.faster(results), twins.diverged(results))


MEASURED = "drift of distributions times {drift:median}, shift of gradients times {shift}"
judge_reduced = rule(
    MEASURED,
    supported=all_below("drift", 1) & all_below("shift", 1),
    mixed=all_below("drift", 1) | all_below("shift", 1),
)
judge_not_reduced = rule(MEASURED, supported=all_at_least("shift", 1), against=all_below("shift", 1))


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
    references=(IOFFE_2015, SANTURKAR),
    caveat=("drift_and_shift", "large_steps"),
    claims=(
        Claim("covariate_shift", "Batch norm reduces internal covariate shift.", IOFFE_2015, "ten", judge_reduced),
        Claim(
            "shift_not_reduced",
            "Measured by the gradients, batch norm does not reduce internal covariate shift.",
            SANTURKAR,
            "ten",
            judge_not_reduced,
        ),
    ),
)
