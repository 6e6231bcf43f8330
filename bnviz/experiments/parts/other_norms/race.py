"""Six nets race: batch norm against norms that never look at the batch."""

import numpy as np
from pydantic import Field

from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ActivationName, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.numbers import fixed
from bnviz.experiments.kit.order_statistics import first_crossing
from bnviz.experiments.kit.quantities import Conditions, Quantity
from bnviz.experiments.kit.readings import finite
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import BA, ULYANOV, WU_HE, ZHANG
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.other_norms.common import (
    BATCH,
    COLOR,
    KEEP,
    NONE,
    NORMS,
    SHORT,
    STAGE,
    STYLES,
    WORDS,
    accuracy_by_norm,
    side_by_side,
    training_charts,
)


class RaceSettings(Settings):
    """Six nets that differ in their norm only."""

    depth: Int = knobs.depth(10, most=30, of="Of each net.")
    width: Int = Field(
        default=32, ge=8, le=128, multiple_of=4, title="Width", description="Units of a layer; groups of a quarter."
    )
    activation: ActivationName = knobs.activation()
    lr: Float = knobs.learning_rate(0.1, most=3, of="Of plain SGD, the same for all nets.")
    batch_size: Int = knobs.batch_size(64, least=2)
    target: Float = Field(default=0.85, ge=0.2, le=0.99, title="Target", description="Test accuracy that ends the race.")
    steps: Int = knobs.steps(300, most=2000, least=20)
    seeds: Int = knobs.seeds(6, most=12, of="Networks of each norm.")


def stages(settings: RaceSettings) -> tuple[Stage, ...]:
    """One run: all norms from the same weights on the same batches."""
    run = RunConfig(
        arms=tuple(twins.arm_of(settings, norm, init="xavier") for norm in NORMS),
        trials=settings.seeds,
        measure_every=max(settings.steps // 50, 1),
        **settings.model_dump(include={"batch_size", "steps"}),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def steps_to_target(settings: RaceSettings, results: Results) -> Labelled:
    """Steps until each trial first reaches the target, by arm and seed; infinite where it has not."""
    found = results.over_steps("test_accuracy")
    steps, seeds = found.axes["step"], {"seed": found.axes["seed"]}
    crossings = {
        arm: Labelled(first_crossing(steps, each.rows("step", "seed"), settings.target), seeds)
        for arm, each in found.along("arm")
    }
    return stacked("arm", crossings)


def charts(settings: RaceSettings) -> tuple[Chart, ...]:
    """Accuracy and loss over the steps, accuracy by norm, steps to the target."""
    target = Quantity(
        "test_accuracy",
        f"Steps to {100 * settings.target:.0f} %",
        "Lower is sooner; nothing is drawn for a seed that has not got there.",
        "steps (updates)",
        range=(0.0, float(settings.steps)),
        take=lambda results, stage: side_by_side(finite(steps_to_target(settings, results))),
    )
    style = ArmStyle("steps to the target", COLOR, "solid")
    return (
        *training_charts(STYLES, settings.steps),
        accuracy_by_norm(),
        target.by_condition("target", {"": style}, Conditions("net", SHORT), target.newest),
    )


def verdict(settings: RaceSettings, results: Results) -> Verdict | None:
    """Batch norm against the best of the four norms that do not look at the batch, paired by seed."""
    if not results.finished(STAGE):
        return None
    taken = steps_to_target(settings, results)
    spreads = {arm: spread_of(each.values) for arm, each in taken.along("arm")}
    if np.isinf(taken.values).all():
        words = "No net reached {target} % test accuracy in {steps} steps."
        return Verdict(None, say(words, target=100 * settings.target, steps=settings.steps), spreads)
    other = quickest_other(settings, taken)
    first, second = taken.at(arm=BATCH).values, taken.at(arm=other).values
    sooner, later = int((first < second).sum()), int((first > second).sum())
    answer = "batch" if sooner == settings.seeds else "other" if later == settings.seeds else "alike"
    said = {arm: _said(settings, found) for arm, found in spreads.items()}
    headline = say(
        "{who}: to {target} % test accuracy batch norm took {batch}, {other}, the quickest of the other norms, {others}.",
        who=_who(answer, other),
        batch=said[BATCH],
        target=100 * settings.target,
        other=WORDS[other],
        others=said[other],
    )
    details = f"Batch norm was sooner for {sooner} of {settings.seeds} seeds, later for {later}. The plain net took {said[NONE]}."
    shares = {"sooner": sooner / settings.seeds, "later": later / settings.seeds}
    return Verdict(answer, headline, {**spreads, **shares}, details)


def quickest_other(settings: RaceSettings, taken: Labelled) -> str:
    """The norm, of those that do not look at the batch, with the lowest median; of equals the one with the lowest mean."""

    def slowness(norm: str) -> tuple[float, float]:
        """Median; mean, in which what never came counts as the whole run."""
        steps = taken.at(arm=norm).values
        return spread_of(steps).median, float(np.mean(np.minimum(steps, settings.steps)))

    return min((norm for norm in NORMS if norm not in (NONE, BATCH)), key=slowness)


def _who(answer: str, other: str) -> str:
    """Who was clearly first: in every seed."""
    if answer == "alike":
        return "No clear difference"
    label = WORDS[BATCH if answer == "batch" else other]
    return f"{label[:1].upper()}{label[1:]} was first"


def _said(settings: RaceSettings, found: Spread) -> str:
    """'80 steps (60 to 95 over 6 seeds)'; what did not come within the run is said."""
    never = f"more than {settings.steps}"
    low, median, high = (never if np.isinf(steps) else fixed(steps, 0) for steps in (found.low, found.median, found.high))
    seeds = "one seed" if found.count == 1 else f"all {found.count} seeds" if low == high == never else ""
    return f"{median} steps ({seeds or f'{low} to {high} over {found.count} seeds'})"


PART = Part(
    id="race",
    title="Six norms, one race",
    question="Is batch norm needed to learn quickly, or will a norm that never looks at the batch do?",
    choices=(
        Choice("batch", "Batch norm is first, for every seed"),
        Choice("other", "Another norm is first, for every seed"),
        Choice("alike", "No clear difference"),
    ),
    settings=RaceSettings,
    presets=(
        Preset(
            "ten",
            "Ten layers",
            "Six nets from the same weights on the same batches. Watch who reaches 85 % first, and how the bands overlap.",
            RaceSettings(),
        ),
        Preset(
            "shallow",
            "Four layers, small steps",
            "Less depth and a smaller learning rate. Watch whether batch norm is still ahead of the other norms.",
            RaceSettings(depth=4, lr=0.03),
        ),
        Preset(
            "fast",
            "High learning rate",
            "Ten times the learning rate. Watch which nets still learn.",
            RaceSettings(lr=1.0),
        ),
        Preset(
            "sigmoid",
            "Sigmoid layers",
            "Four sigmoid layers, which are slow without a norm. Watch the training loss.",
            RaceSettings(depth=4, activation="sigmoid", lr=0.5),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(BA, WU_HE, ULYANOV, ZHANG),
    caveat=("race", "shallow"),
)
