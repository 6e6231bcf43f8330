"""Six nets race: batch norm against norms that never look at the batch."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import category_chart, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ActivationName, ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.order_statistics import first_crossing
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, plain, spread_of
from bnviz.experiments.parts.other_norms.common import (
    BA,
    KEEP,
    NORMS,
    SHORT,
    STAGE,
    STYLES,
    ULYANOV,
    WU_HE,
    ZHANG,
    training_charts,
)

FloatArray = NDArray[np.float64]
BATCH = NORMS.index("batch")


class RaceSettings(Settings):
    """Six nets that differ in their norm only."""

    depth: Int = Field(default=10, ge=1, le=30, title="Hidden layers", description="Of each net.")
    width: Int = Field(
        default=32, ge=8, le=128, multiple_of=4, title="Width", description="Units of a layer; groups of a quarter."
    )
    activation: ActivationName = Field(default="relu", title="Activation", description="Of the hidden layers.")
    lr: Float = Field(default=0.1, ge=1e-3, le=3, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=64, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    target: Float = Field(default=0.85, ge=0.2, le=0.99, title="Target", description="Test accuracy that ends the race.")
    steps: Int = Field(default=300, ge=20, le=2000, title="Steps", description="Updates.")
    seeds: Int = Field(default=6, ge=1, le=12, title="Seeds", description="Networks of each norm.")


def stages(settings: RaceSettings) -> tuple[Stage, ...]:
    """One run: all norms from the same weights on the same batches."""
    shared = {"depth": settings.depth, "width": settings.width, "activation": settings.activation, "lr": settings.lr}
    run = RunConfig(
        arms=tuple(ArmConfig(norm=norm, init="xavier", **shared) for norm in NORMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 50, 1),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def steps_to_target(settings: RaceSettings, results: Results) -> FloatArray:
    """Steps until each trial first reaches the target, (norms, trials); infinite where it has not."""
    steps = results.steps(STAGE)
    return np.array(
        [first_crossing(steps, results.curve(STAGE, "test_accuracy", arm), settings.target) for arm in range(len(NORMS))]
    )


def charts(settings: RaceSettings) -> tuple[Chart, ...]:
    """Accuracy and loss over the steps, accuracy by norm, steps to the target."""
    how = "Lower is sooner; nothing is drawn for a seed that has not got there."
    spec = category_chart(
        "target",
        f"Steps to {100 * settings.target:.0f} %",
        how,
        "steps (updates)",
        list(SHORT.values()),
        [ArmStyle("steps to the target", "#0072B2", "solid")],
        y_range=(0.0, float(settings.steps)),
    )

    def draw(results: Results) -> dict[str, list[list[list[float | None]]]]:
        taken = steps_to_target(settings, results)
        return {"": [sweep_series(np.where(np.isinf(taken), np.nan, taken))]}

    return (*training_charts(STYLES, settings.steps), Chart(spec, draw))


def verdict(settings: RaceSettings, results: Results) -> Verdict | None:
    """Batch norm against the best of the four norms that do not look at the batch, paired by seed."""
    if not results.finished(STAGE):
        return None
    taken = steps_to_target(settings, results)
    spreads = [spread_of(row) for row in taken]
    numbers = {norm: spread.median for norm, spread in zip(NORMS, spreads, strict=True)}
    if np.isinf(taken).all():
        return Verdict(None, f"No net reached {plain(100 * settings.target)} % test accuracy in {settings.steps} steps.", numbers)
    best = min(
        range(2, len(NORMS)), key=lambda arm: (spreads[arm].median, float(np.mean(np.minimum(taken[arm], settings.steps))))
    )
    sooner, later = int((taken[BATCH] < taken[best]).sum()), int((taken[BATCH] > taken[best]).sum())
    answer = _answer(sooner, later, settings.seeds)
    numbers |= {"sooner": sooner / settings.seeds, "later": later / settings.seeds, "best_other": float(best)}
    start = {"batch": "Batch norm was first", "other": f"{_capital(best)} was first", "alike": "It does not take batch norm"}[
        answer
    ]
    sentence = (
        f"{start}: to {plain(100 * settings.target)} % test accuracy batch norm took {_words(spreads[BATCH])} steps, "
        f"{STYLES[best].label}, the quickest of the others, {_words(spreads[best])}; "
        f"batch norm was sooner for {sooner} of {settings.seeds} seeds, "
        f"later for {later}. Without a norm it took {_words(spreads[0])}."
    )
    return Verdict(answer, sentence, numbers)


def _answer(sooner: int, later: int, seeds: int) -> str:
    """Who was clearly first: in every seed."""
    return "batch" if sooner == seeds else "other" if later == seeds else "alike"


def _capital(arm: int) -> str:
    label = STYLES[arm].label
    return label[:1].upper() + label[1:]


def _words(spread: Spread) -> str:
    """'80 (60 to 95)'; steps that were not enough are said."""
    if np.isinf(spread.low):
        return "more than there were"
    high = "never" if np.isinf(spread.high) else f"{spread.high:.0f}"
    median = "never" if np.isinf(spread.median) else f"{spread.median:.0f}"
    return f"{median} ({spread.low:.0f} to {high})"


PART = Part(
    id="race",
    title="Six norms, one race",
    question="Does it take batch norm to learn quickly, or will a norm that never looks at the batch do?",
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
            "Six nets from the same weights on the same batches. Watch who comes to 85 % first, and how the bands overlap.",
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
