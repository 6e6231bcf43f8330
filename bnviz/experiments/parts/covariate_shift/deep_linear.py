"""The gradients' shift where nothing else happens: a deep linear net, the whole training set as one batch."""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from bnviz.config.models import DatasetConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, all_below, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import SANTURKAR
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.twins import STYLES
from bnviz.experiments.parts.covariate_shift.drift_and_shift import COSINE, SHIFT

FRAMES = 20
ALIKE = 0.02  # cosines that differ by less count as the same: a turn by 11 degrees from 1
TYPICAL_COSINE = replace(
    COSINE,
    title="Cosine over the steps",
    how="Between a layer's gradient before and after the layers below it stepped; median over the layers from the second.",
)
COSINE_BY_LAYER = replace(
    COSINE, how="1: the step of the layers below did not turn this layer's gradient. At this step.", first_layer=1
)
LOSS = replace(twins.LOSS, how="Cross-entropy of all training samples, which are one batch.")
KEEP = (LOSS.measure, "shift")
HEADLINES = {
    "lower": "With batch norm a layer's gradient turns more when the layers below it step",
    "same": "Batch norm makes hardly any difference to how far a layer's gradient turns when the layers below it step",
    "higher": "With batch norm a layer's gradient turns less when the layers below it step",
    None: "The pairs do not agree on whose gradients turn more when the layers below them step",
}


class LinearSettings(Settings):
    """Twins of linear layers."""

    depth: Int = knobs.depth(25, most=30, least=2, of="Linear layers of both nets.")
    width: Int = knobs.width(16, most=48)
    init: Literal["xavier", "orthogonal"] = Field(
        default="xavier", title="Initial weights", description="Xavier: random. Orthogonal: each layer only turns its input."
    )
    lr: Float = knobs.learning_rate(0.01, most=1, least=1e-4, of="Of gradient descent, the same for both nets.")
    samples: Int = Field(default=100, ge=16, le=400, title="Samples", description="Digits; all of them are one batch.")
    steps: Int = knobs.steps(100, most=400)
    seeds: Int = knobs.seeds(4, most=8)


def stages(settings: LinearSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    run = RunConfig(
        dataset=DatasetConfig(train_size=settings.samples),
        arms=(twins.arm_of(settings, "none", activation="linear"), twins.arm_of(settings, "batch", activation="linear")),
        trials=settings.seeds,
        batch_size=settings.samples,
        steps=settings.steps,
        measure_every=max(settings.steps // FRAMES, 1),
        extras=("shift",),
    )
    return (Stage("training", "training", run, KEEP),)


def charts(settings: LinearSettings) -> tuple[Chart, ...]:
    """Cosine over the steps and by layer, relative shift, loss."""
    return (
        TYPICAL_COSINE.by_step("cosine", STYLES, settings.steps),
        COSINE_BY_LAYER.by_layer("layers", STYLES, settings.depth),
        SHIFT.by_step("shift", STYLES, settings.steps),
        LOSS.by_step("loss", STYLES, settings.steps),
    )


def verdict(settings: LinearSettings, results: Results) -> Verdict | None:
    """Compare the typical cosines, twin by twin."""
    if not results.history("training"):
        return None
    none, batch = twins.known_pairs(COSINE.over_run(results))
    cosines = {"cosine_none": spread_of(none, "pairs"), "cosine_batch": spread_of(batch, "pairs")}
    gap = spread_of(batch - none, "pairs")
    numbers = {**cosines, "gap": gap, "faster_pairs": float(twins.faster_pairs(results))}
    if not gap.count:
        return Verdict(None, twins.NOTHING_TO_COMPARE, numbers)
    answer = _answer(gap)
    headline = HEADLINES[answer] + say(": cosine {cosine_batch} with batch norm, {cosine_none} without.", cosines)
    return Verdict(answer, headline, numbers, joined(twins.faster(results), twins.diverged(results)))


def _answer(gap: Spread) -> str | None:
    """By what holds in every pair."""
    if np.max(np.abs([gap.low, gap.high])) < ALIKE:
        return "same"
    return "lower" if gap.high < 0 else "higher" if gap.low > 0 else None


judge = rule(
    "cosine {cosine_batch} with batch norm, {cosine_none} without",
    supported=all_below("gap", -ALIKE),
    against=all_above("gap", -ALIKE),
)

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
