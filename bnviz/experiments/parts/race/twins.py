"""Twins that race to a test accuracy: the run, its charts and its verdict, for the parts that ask who gets there first."""

import math
from typing import Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import category_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Series, Settings, Verdict
from bnviz.experiments.kit.evidence import Numbers
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.order_statistics import CONFIDENCE
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.spread import Spread
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES
from bnviz.experiments.parts.race.comparison import Comparison
from bnviz.experiments.parts.race.verdict import RaceVerdict

KEY = "race"
InitName = Literal["he", "xavier"]
NEARLY_EVEN = (0.8, 1.25)  # a speed-up whose whole interval lies in here is no difference worth the name
SEEDS = "Pairs of twins; a 95 % interval of the speed-up needs at least 6."
ACCURACY = Quantity(
    "test_accuracy",
    "Test accuracy",
    "Higher is better. The net whose line climbs first learns in fewer steps.",
    "test accuracy (%)",
    range=(0.0, 102.0),
    factor=100.0,
)
LOSS = Quantity("train_loss", "Training loss", "Lower is better.", "cross-entropy of the batch (nats)", log=True)
GRADIENT = Quantity(
    "weight_grad_norm",
    "Gradient by layer",
    "Level: every layer gets its share. Lower towards layer 1: the gradient fades on its way back.",
    "gradient norm of the weights",
    log=True,
)
KEEP = tuple(quantity.measure for quantity in (LOSS, ACCURACY, GRADIENT))
CHOICES = (
    Choice("sooner", "With batch norm"),
    Choice("same", "Both take about as many steps"),
    Choice("later", "Without batch norm"),
)


class TwinSettings(Settings):
    """What both nets have in common."""

    dataset: Literal["digits", "spirals", "circles", "moons", "breast_cancer"] = Field(
        default="digits", title="Data", description="Handwritten digits, two classes in the plane, or medical measurements."
    )
    depth: Int = knobs.depth(10, most=40)
    width: Int = knobs.width(32, most=128)
    activation: Literal["relu", "tanh", "sigmoid"] = knobs.activation(of="The activation function of the hidden layers.")
    init: InitName = knobs.initial_weights()
    lr: Float = knobs.learning_rate(0.1, most=10, least=1e-4)
    batch_size: Int = knobs.batch_size(64, least=2)
    steps: Int = knobs.steps(600, most=3000)
    seeds: Int = knobs.seeds(8, most=16, of=SEEDS)
    seed: Int = knobs.first_seed()


def run_config(settings: TwinSettings) -> RunConfig:
    """The run: the plain net and its twin with batch norm."""
    shared = settings.model_dump(include={"depth", "width", "activation", "init", "lr"})
    arms = tuple(ArmConfig(norm=norm, **shared) for norm in ("none", "batch"))
    return RunConfig(
        dataset=DatasetConfig(name=settings.dataset),
        arms=arms,
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        seed=settings.seed,
    )


def stages(settings: TwinSettings) -> tuple[Stage, ...]:
    """One run."""
    return (Stage(KEY, "the race", run=run_config(settings), keep=KEEP),)


def race_of(settings: TwinSettings, results: Results) -> RaceVerdict:
    """The race as measured so far."""
    race = RaceVerdict(run_config(settings))
    for measured in results.history(KEY):
        race.add(measured)
    return race


def charts(settings: TwinSettings) -> tuple[Chart, ...]:
    """Accuracy, loss, each pair's steps to the target, and the gradient that every layer gets."""
    return (
        ACCURACY.by_step("accuracy", STYLES, settings.steps),
        Chart(_pairs_chart(settings), lambda results: {"": _pairs(settings, results)}),
        LOSS.by_step("loss", STYLES, settings.steps),
        GRADIENT.by_layer("gradient", STYLES, settings.depth),
    )


def verdict(settings: TwinSettings, results: Results) -> Verdict | None:
    """Who reached the target sooner: the speed-up, paired by trial, with its interval."""
    if not results.history(KEY):
        return None
    race = race_of(settings, results)
    ends = {NONE: 100 * float(race.medians[-1, 0]), BATCH: 100 * float(race.medians[-1, 1])}
    numbers = {f"accuracy_{arm}": end / 100 for arm, end in ends.items()}
    comparisons = race.comparisons()
    if not race.over or not comparisons:
        return Verdict(None, race.sentence(), numbers)
    details = say("Median test accuracy at the end: {batch} % with batch norm, {none} % without.", ends)
    return Verdict(answer_of(comparisons[0]), race.sentence(), numbers | _numbers(comparisons[0], race), details)


def answer_of(comparison: Comparison) -> str | None:
    """The choice that the interval of the speed-up bears out; None when it is too wide for any."""
    if comparison.outcome != "no clear difference":
        return comparison.outcome
    low, high, is_confident = comparison.interval
    return "same" if is_confident and NEARLY_EVEN[0] <= low and high <= NEARLY_EVEN[1] else None


def measured(numbers: Numbers) -> str:
    """The speed-up in short, for the claims board: '4.16 times as fast (95 % interval 3.26 to 6.07, 8 pairs of twins)'."""
    found, most = numbers["speedup"], numbers["speedup_most"]
    least = found.median
    speed = f"at least {number(least)}" if math.isinf(most) else f"at most {number(most)}" if least == 0 else number(least)
    interval = "95 % interval" if found.level else "range"
    goal = f"{100 * numbers['target']:.0f} % test accuracy"
    return f"{speed} times as fast to {goal} ({interval} {_bounds(found)}, {found.count} pairs of twins)"


def _bounds(found: Spread) -> str:
    """'1.9 to 2.8', '1.9 or more', '2.8 or less'."""
    if math.isinf(found.high):
        return f"{number(found.low)} or more"
    return f"{number(found.high)} or less" if found.low == 0 else f"{number(found.low)} to {number(found.high)}"


def _numbers(comparison: Comparison, race: RaceVerdict) -> dict[str, Spread | float]:
    """The speed-up, of which only bounds are known where trials did not get there: its median is the least, `_most` the most."""
    least, most = comparison.speedup
    low, high, is_confident = comparison.interval
    level = CONFIDENCE if is_confident else 0.0
    found = Spread(least, low, high, comparison.bounds.shape[1], level, of="pairs")
    return {"target": float(race.target or np.nan), "speedup": found, "speedup_most": most}


def _pairs_chart(settings: TwinSettings) -> ChartSpec:
    chart = category_chart(
        "pairs",
        "Steps to the target",
        "Side by side: twins, with equal initial weights and batches. No mark: not there yet. The target is set by the best net.",
        "steps to the target accuracy",
        [str(trial + 1) for trial in range(settings.seeds)],
        tuple(STYLES.values()),
        x_title="pair of twins",
        y_range=(0.0, 1.05 * settings.steps),
    )
    chart.empty = "No net has learned enough to set a target"
    return chart


def _pairs(settings: TwinSettings, results: Results) -> list[Series]:
    """Each pair's steps to the target so far; what is not there yet is not drawn."""
    steps = race_of(settings, results).steps_to_target()
    if steps is None:
        steps = np.full((2, settings.seeds), np.nan)
    return [sweep_series(np.where(np.isfinite(row), row, np.nan)[:, None]) for row in steps]
