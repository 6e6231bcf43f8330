"""Twins that race to a test accuracy: the run, its charts and its verdict, for the parts that ask who gets there first."""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import category_chart, curve_chart, curve_point, layer_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.charts.theme import ArmStyle, arm_styles
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.race.verdict import Comparison, RaceVerdict

KEY = "race"
KEEP = ("train_loss", "test_accuracy", "weight_grad_norm")
InitName = Literal["he", "xavier"]
PLAIN, BATCH = 0, 1  # the arms
NEARLY_EVEN = (0.8, 1.25)  # a speed-up whose whole interval lies in here is no difference worth the name
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
    depth: Int = Field(default=10, ge=1, le=40, title="Hidden layers", description="Depth of both nets.")
    width: Int = Field(default=32, ge=4, le=128, title="Width", description="Units of a hidden layer.")
    activation: Literal["relu", "tanh", "sigmoid"] = Field(
        default="relu", title="Activation", description="The activation function of the hidden layers."
    )
    init: InitName = Field(
        default="xavier", title="Initial weights", description="He: std sqrt(2 / inputs). Xavier: sqrt(2 / (inputs + outputs))."
    )
    lr: Float = Field(default=0.1, ge=1e-4, le=10, title="Learning rate", description="Of plain SGD, the same for both nets.")
    batch_size: Int = Field(default=64, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=600, ge=10, le=3000, title="Steps", description="Updates.")
    seeds: Int = Field(
        default=8, ge=1, le=16, title="Seeds", description="Pairs of twins; a 95 % interval of the speed-up needs at least 6."
    )
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")


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
    styles = arm_styles(run_config(settings))
    accuracy = curve_chart(
        "accuracy",
        "Test accuracy",
        "Higher is better. The net whose line climbs first learns in fewer steps.",
        "test accuracy (%)",
        styles,
        settings.steps,
        y_range=(0.0, 102.0),
    )
    loss = curve_chart(
        "loss", "Training loss", "Lower is better.", "cross-entropy of the batch (nats)", styles, settings.steps, y_log=True
    )
    gradient = layer_chart(
        "gradient",
        "Gradient by layer",
        "Level: every layer gets its share. Lower towards layer 1: the gradient fades on its way back.",
        "gradient norm of the weights",
        styles,
        settings.depth,
        y_log=True,
    )
    return (
        Chart(accuracy, lambda results: {"": [curve_point(100 * row) for row in _now(results, "test_accuracy")]}),
        Chart(_pairs_chart(settings, styles), lambda results: {"": _pairs(settings, results)}),
        Chart(loss, lambda results: {"": [curve_point(row) for row in _now(results, "train_loss")]}),
        Chart(gradient, lambda results: {"": [sweep_series(row.T) for row in _now(results, "weight_grad_norm")]}),
    )


def verdict(settings: TwinSettings, results: Results) -> Verdict | None:
    """Who reached the target sooner: the speed-up, paired by trial, with its interval."""
    race = race_of(settings, results)
    if not results.history(KEY):
        return None
    comparisons = race.comparisons()
    if not race.over or not comparisons:
        return Verdict(None, race.sentence(), _accuracies(race))
    comparison = comparisons[0]
    final = ", ".join(f"{plain(100 * race.medians[-1, arm])} % {words}" for arm, words in ((BATCH, "with"), (PLAIN, "without")))
    sentence = f"{race.sentence()} Median test accuracy at the end: {final}."
    return Verdict(answer_of(comparison), sentence, _accuracies(race) | _numbers(comparison, race))


def answer_of(comparison: Comparison) -> str | None:
    """The choice that the interval of the speed-up bears out; None when it is too wide for any."""
    if comparison.outcome != "no clear difference":
        return comparison.outcome
    low, high, is_confident = comparison.interval
    return "same" if is_confident and NEARLY_EVEN[0] <= low and high <= NEARLY_EVEN[1] else None


def measured(verdict: Verdict) -> str:
    """The speed-up in short, for the claims board: '4.16 times as fast (95 % interval 3.26 to 6.07, 8 pairs of twins)'."""
    numbers = verdict.numbers
    low, high, least, most = (numbers[key] for key in ("interval_low", "interval_high", "speedup_least", "speedup_most"))
    speed = f"at least {plain(least)}" if math.isinf(most) else f"at most {plain(most)}" if least == 0 else plain(least)
    bounds = (
        f"{plain(low)} or more"
        if math.isinf(high)
        else f"{plain(high)} or less"
        if low == 0
        else f"{plain(low)} to {plain(high)}"
    )
    interval = "95 % interval" if numbers["is_confident"] else "range"
    goal = f"{100 * numbers['target']:.0f} % test accuracy"
    return f"{speed} times as fast to {goal} ({interval} {bounds}, {numbers['pairs']:.0f} pairs of twins)"


def _pairs_chart(settings: TwinSettings, styles: tuple[ArmStyle, ...]) -> ChartSpec:
    chart = category_chart(
        "pairs",
        "Steps to the target",
        "Side by side: twins, with equal initial weights and batches. No mark: not there yet. The target is set by the best net.",
        "steps to the target accuracy",
        [str(trial + 1) for trial in range(settings.seeds)],
        styles,
        x_title="pair of twins",
        y_range=(0.0, 1.05 * settings.steps),
    )
    chart.empty = "Nobody has learned enough to set a target"
    return chart


def _pairs(settings: TwinSettings, results: Results) -> list[Series]:
    """Each pair's steps to the target so far; what is not there yet is not drawn."""
    steps = race_of(settings, results).steps_to_target()
    if steps is None:
        steps = np.full((2, settings.seeds), np.nan)
    return [sweep_series(np.where(np.isfinite(row), row, np.nan)[:, None]) for row in steps]


def _now(results: Results, measure: str) -> list[np.ndarray]:
    """A curve (T,) or layer measure (T, L) of both arms at the newest frame."""
    assert results.now is not None
    tables: list[dict[str, Any]] = [arm.curves | arm.layers for arm in results.now.arms]
    return [np.asarray(table[measure], np.float64) for table in tables]


def _accuracies(race: RaceVerdict) -> dict[str, float]:
    return {"accuracy_plain": float(race.medians[-1, PLAIN]), "accuracy_batch": float(race.medians[-1, BATCH])}


def _numbers(comparison: Comparison, race: RaceVerdict) -> dict[str, float]:
    least, most = comparison.speedup
    low, high, is_confident = comparison.interval
    return {
        "target": float(race.target or np.nan),
        "speedup_least": least,
        "speedup_most": most,
        "interval_low": low,
        "interval_high": high,
        "is_confident": float(is_confident),
        "pairs": float(comparison.bounds.shape[1]),
    }
