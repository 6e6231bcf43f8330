"""Test data that are shifted or scaled against the training data: running against batch statistics."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bnviz.charts.builders import norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, NormName, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import error_of, error_rows, gain, words
from bnviz.experiments.kit.lists import ascending
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.inference.sources import NADO, SCHNEIDER

NORMS: tuple[NormName, ...] = ("batch", "none", "layer")
RUNNING, BATCH = "inference_running_accuracy", "inference_batch_accuracy"
CLEAR = 3.0  # percentage points, in every trial: a difference worth the name


class ShiftedSettings(Settings):
    """How far the test data are off, and how the nets are trained."""

    kind: Literal["shift", "scale"] = Field(
        default="shift", title="Change", description="shift: added to every test input; scale: a factor on it."
    )
    values: tuple[Annotated[Float, Field(ge=-20, le=20)], ...] = Field(
        default=(0.0, 0.5, 1.0, 2.0, 4.0),
        title="Values",
        description="-20 to 20; the nets see none of it in training.",
        min_length=2,
        max_length=8,
    )
    batch_size: Int = Field(default=64, ge=2, le=200, title="Batch size", description="In training, and of the test batches.")
    lr: Float = Field(default=0.1, ge=0.001, le=2, title="Learning rate", description="Of plain SGD, the same for all.")
    steps: Int = Field(default=150, ge=5, le=2000, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each kind.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")

    @field_validator("values")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return ascending(value)


def unchanged(settings: ShiftedSettings) -> float:
    """The value that changes nothing."""
    return 0.0 if settings.kind == "shift" else 1.0


def key_of(value: float) -> str:
    """The stage of a value."""
    return f"at_{value:g}"


def run_config(settings: ShiftedSettings, value: float) -> RunConfig:
    """The same training at every value: only the test set differs."""
    dataset = DatasetConfig.model_validate({f"test_{settings.kind}": value})
    arms = tuple(ArmConfig(norm=norm, depth=4, lr=settings.lr) for norm in NORMS)
    return RunConfig(
        dataset=dataset,
        arms=arms,
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 3, 1),
        seed=settings.seed,
    )


def stages(settings: ShiftedSettings) -> tuple[Stage, ...]:
    """One run a value."""
    return tuple(
        Stage(key_of(value), f"{settings.kind} {plain(value)}", run_config(settings, value), ("inference_modes",))
        for value in settings.values
    )


def charts(settings: ShiftedSettings) -> tuple[Chart, ...]:
    """The batch-norm net tested in two ways; all nets as they are used."""
    values = settings.values
    title = "added to the test inputs (training: 0)" if settings.kind == "shift" else "factor on the test inputs (training: 1)"
    axes = {"x_log": settings.kind == "scale" and values[0] > 0, "y_range": (0.0, 102.0)}
    modes = sweep_chart(
        "modes",
        "One net, two statistics",
        "Lower is better. The same batch-norm net, tested with the statistics of training or with those of the test batch.",
        title,
        "test error (%)",
        values,
        plain_styles(("running statistics", "batch statistics")),
        **axes,
    )
    nets = sweep_chart(
        "nets",
        "Three nets as used",
        "Lower is better. Batch norm with running statistics, as usual, beside nets that keep none.",
        title,
        "test error (%)",
        values,
        [norm_style(norm) for norm in NORMS],
        **axes,
    )
    keys = [key_of(value) for value in values]

    def series(results: Results, arm: int, measure: str) -> list:
        return sweep_series(error_rows(results, keys, arm, settings.seeds, measure))

    return (
        Chart(modes, lambda results: {"": [series(results, 0, measure) for measure in (RUNNING, BATCH)]}),
        Chart(nets, lambda results: {"": [series(results, arm, RUNNING) for arm in range(len(NORMS))]}),
    )


def farthest(settings: ShiftedSettings) -> float:
    """The value that changes the test data most; for a factor, in the logarithm."""
    if settings.kind == "shift":
        return max(settings.values, key=abs)
    return max(settings.values, key=lambda value: abs(np.log(max(abs(value), 1e-9))))


def verdict(settings: ShiftedSettings, results: Results) -> Verdict | None:
    """Running against batch statistics where the test data are off most."""
    value = farthest(settings)
    if not results.finished(key_of(value)):
        return None
    running, batch = (error_of(results, key_of(value), 0, settings.seeds, measure) for measure in (RUNNING, BATCH))
    plain_net = error_of(results, key_of(value), NORMS.index("none"), settings.seeds, RUNNING)
    saved = gain(running, batch)
    saves = f"saves {saved}" if saved.median >= 0 else f"costs {gain(batch, running)}"
    change = f"shifted by {plain(value)}" if settings.kind == "shift" else f"scaled by {plain(value)}"
    sentence = (
        f"On test data {change} the batch-norm net's error is {words(running)} with running statistics and "
        f"{words(batch)} with those of the test batch, which {saves}. Without a "
        f"norm it is {words(plain_net)}."
    )
    numbers = {"error_running": float(np.median(running)), "error_batch": float(np.median(batch))}
    numbers |= {
        "error_none": float(np.median(plain_net)),
        "saved": saved.median,
        "saved_low": saved.low,
        "saved_high": saved.high,
    }
    return Verdict(_answer(running, batch), sentence, numbers)


def _answer(running: NDArray[np.float64], batch: NDArray[np.float64]) -> str | None:
    if not np.isfinite([running, batch]).all():
        return None
    saved = running - batch
    return (
        "batch" if saved.min() > CLEAR else "running" if saved.max() < -CLEAR else "same" if np.abs(saved).max() < CLEAR else None
    )


PART = Part(
    id="shifted",
    title="Shifted test data",
    question="All test inputs are shifted, the training inputs were not: with which statistics does a batch-norm net do better?",
    choices=(
        Choice("running", "With the running ones, from training"),
        Choice("batch", "With those of the test batch"),
        Choice("same", "No difference"),
    ),
    settings=ShiftedSettings,
    presets=(
        Preset(
            "shift",
            "Shifted",
            "Test inputs are shifted by up to four standard deviations. Watch the two lines of the same net part.",
            ShiftedSettings(),
        ),
        Preset(
            "scale",
            "Scaled",
            "Test inputs are multiplied by 0.1 to 10. Watch which nets mind.",
            ShiftedSettings(kind="scale", values=(0.1, 0.3, 1.0, 3.0, 10.0)),
        ),
        Preset(
            "tiny",
            "Hardly shifted, tiny batches",
            "Test batches of 4 and a shift of at most 0.2. Watch which statistics are the better ones now.",
            ShiftedSettings(values=(0.0, 0.1, 0.2), batch_size=4, lr=0.02, steps=400),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(SCHNEIDER, NADO),
    caveat=("shifted", "tiny"),
)
