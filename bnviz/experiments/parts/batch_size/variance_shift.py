"""Dropout in front of a norm: the variance that the norm learns in training is not the one it meets at test time."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, category_chart, plain_styles, sweep_chart, sweep_series
from bnviz.closed_forms.dropout import dropout_variance_shift
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.batch_size.sources import LI

PROBE, TRAIN, TRIALS = "units", "nets", 6
KEEPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
PLACES: tuple[Literal["before_norm", "after_norm"], ...] = ("before_norm", "after_norm")
CATEGORIES = ("no dropout", "before the norm", "after the norm")
MODES = {"running": "running statistics", "recomputed": "recomputed without dropout"}
EVEN = 0.02  # a ratio this near to 1 is no shift


class ShiftSettings(Settings):
    """What is dropped, and the nets that are trained with it."""

    mean: Float = Field(default=0.0, ge=-5, le=5, title="Mean of the inputs", description="c, in units of their spread.")
    keep: Float = Field(
        default=0.7, ge=0.3, le=0.95, title="Keep probability", description="p, of the trained nets; the probe sweeps it."
    )
    samples: Int = Field(default=60_000, ge=1000, le=400_000, title="Samples", description="Drawn in each repetition.")
    steps: Int = Field(default=200, ge=20, le=1000, title="Steps", description="Updates of the trained nets, batches of 64.")
    seed: Int = Field(default=0, ge=0, le=9999, title="Seed", description="Of samples, masks, weights and batches.")


def run_config(settings: ShiftSettings) -> RunConfig:
    """Three nets with batch norm: without dropout, with dropout before the norm and after it."""
    drop = round(1 - settings.keep, 6)
    dropped = (
        ArmConfig(name=name, norm="batch", depth=4, dropout=drop, dropout_placement=place)
        for name, place in zip(CATEGORIES[1:], PLACES, strict=True)
    )
    arms = (ArmConfig(name=CATEGORIES[0], norm="batch", depth=4), *dropped)
    return RunConfig(
        dataset=DatasetConfig(train_size=1000, test_size=500),
        arms=arms,
        trials=TRIALS,
        steps=settings.steps,
        measure_every=max(settings.steps // 10, 1),
        seed=settings.seed,
    )


def stages(settings: ShiftSettings) -> tuple[Stage, ...]:
    """First single units, then nets."""
    options = {"keeps": KEEPS, "mean": settings.mean, "samples": settings.samples, "trials": TRIALS, "seed": settings.seed}
    return (
        Stage(PROBE, "dropping inputs of a unit", probe="dropout_shift", options=options, seconds=0.3),
        Stage(TRAIN, "nets with dropout", run_config(settings), ("test_loss", "inference_modes")),
    )


def closed_form(settings: ShiftSettings, keep: float) -> float:
    """The ratio v / ((v + c^2)/p - c^2) with v = 1."""
    return dropout_variance_shift(keep, 1.0, settings.mean)


def charts(settings: ShiftSettings) -> tuple[Chart, ...]:
    """The ratio of the variances over p, and the loss of nets tested with either statistics."""
    ratio = sweep_chart(
        "ratio",
        "Variance, test over training",
        "At 1 nothing shifts. Below: at test time the norm's input is narrower than what the norm has learned.",
        "keep probability p",
        "variance at test / in training",
        KEEPS,
        plain_styles(("measured",)),
        y_range=(0.0, 1.1),
    )
    fine = np.linspace(KEEPS[0], KEEPS[-1], 40)
    add_theory_line(ratio, fine, [closed_form(settings, keep) for keep in fine], "theory (Li 2018)")
    add_level(ratio, 1.0, "no shift")
    loss = category_chart(
        "loss",
        "Loss of trained nets",
        "Lower is better. Running statistics come from training, with dropout; recomputed ones from the same data without it.",
        "test loss (nats)",
        CATEGORIES,
        plain_styles(tuple(MODES.values())),
        x_title="dropout",
    )
    return (
        Chart(ratio, lambda results: {"": [sweep_series(_ratio(results))]}),
        Chart(loss, lambda results: {"": [sweep_series(_losses(results, mode)) for mode in MODES]}),
    )


def _ratio(results: Results) -> NDArray[np.float64]:
    ratio = results.value(PROBE, "ratio")
    return np.full((len(KEEPS), TRIALS), np.nan) if ratio is None else ratio


def _losses(results: Results, mode: str) -> NDArray[np.float64]:
    """Test loss with these statistics, (arms, trials)."""
    return np.array([reading(results, TRAIN, f"inference_{mode}_loss", arm, TRIALS) for arm in range(len(CATEGORIES))])


def verdict(settings: ShiftSettings, results: Results) -> Verdict | None:
    """The measured ratio at p beside the closed form, and what the shift costs a net."""
    if not results.finished(PROBE):
        return None
    index = int(np.argmin(np.abs(np.array(KEEPS) - settings.keep)))
    ratio, expected = spread_of(_ratio(results)[index]), closed_form(settings, KEEPS[index])
    answer = "smaller" if ratio.high < 1 - EVEN else "larger" if ratio.low > 1 + EVEN else "same"
    sentence = (
        f"With p = {KEEPS[index]} the variance at test time is {plain(ratio.median)} of that in training ({plain(ratio.low)} to "
        f"{plain(ratio.high)} over {TRIALS} repetitions; theory {plain(expected)})."
    )
    deviations = np.abs(_ratio(results).mean(axis=1) / [closed_form(settings, keep) for keep in KEEPS] - 1)
    numbers = {"ratio": ratio.median, "theory": expected, "worst_deviation": float(deviations.max())}
    if results.finished(TRAIN):
        running, recomputed = (_losses(results, mode) for mode in MODES)
        cost = spread_of(running[1] - recomputed[1]) if np.isfinite([running[1], recomputed[1]]).all() else spread_of([])
        numbers |= {"cost": cost.median, "cost_low": cost.low, "cost_high": cost.high}
        sentence += (
            f" A net with dropout before the norm has a test loss of {plain(spread_of(running[1]).median)} with running "
            f"statistics, {plain(spread_of(recomputed[1]).median)} once they are recomputed without dropout: {cost} less."
        )
    return Verdict(answer, sentence, numbers)


PART = Part(
    id="variance_shift",
    title="Dropout before the norm",
    question="Dropout scales up what it keeps, so that means stay: what about the variance at test time, against training?",
    choices=(
        Choice("same", "It stays too"),
        Choice("smaller", "It is smaller at test time"),
        Choice("larger", "It is larger at test time"),
    ),
    settings=ShiftSettings,
    presets=(
        Preset(
            "centred",
            "Inputs of mean 0",
            "Inputs of a unit are dropped at random. Watch where the ratio of the variances lies for every p.",
            ShiftSettings(),
        ),
        Preset(
            "relu",
            "A mean away from 0",
            "Inputs with a mean, as behind a ReLU. Watch how far the ratio falls below the earlier line.",
            ShiftSettings(mean=1.0),
        ),
        Preset(
            "mild",
            "Hardly any dropout",
            "Only one input in twenty is dropped. Watch the two losses.",
            ShiftSettings(keep=0.95),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LI,),
    caveat=("variance_shift", "mild"),
)
