"""Test error against batch size, for four norms that see the same number of samples."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bnviz.charts.builders import norm_style, sweep_chart, sweep_series
from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import error_of, error_rows, reading, recent_mean
from bnviz.experiments.kit.lists import ascending
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.batch_size.sources import IOFFE_2017, LUO, WU_HE, WU_JOHNSON

NORMS: tuple[NormName, ...] = ("none", "batch", "group", "layer")
REFERENCE_BATCH = 32  # the batch size that the learning rate is given for
FRAMES = 24  # of each stage
SUFFERS = 1.5  # times the error, in every trial: a norm that minds small batches
KEEP = ("train_loss", "test_loss", "test_accuracy")


class SizeSettings(Settings):
    """How the networks are trained."""

    batch_sizes: tuple[Annotated[Int, Field(ge=1, le=256)], ...] = Field(
        default=(2, 4, 8, 16, 32, 64), title="Batch sizes", description="From 1 to 256.", min_length=2, max_length=8
    )
    samples: Int = Field(
        default=3000, ge=200, le=10_000, title="Samples seen", description="At every batch size: steps are this over the size."
    )
    lr: Float = Field(default=0.1, ge=0.001, le=2, title="Learning rate", description="Of plain SGD at a batch of 32.")
    scale_lr: bool = Field(
        default=True,
        title="Scale the learning rate",
        description="In proportion to the batch size, as Wu & He do; otherwise it is the same for all.",
    )
    depth: Int = Field(default=3, ge=1, le=12, title="Hidden layers", description="Of 32 ReLU units each.")
    seeds: Int = Field(default=3, ge=1, le=12, title="Seeds", description="Networks of each kind and size.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")

    @field_validator("batch_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return ascending(value)


def key_of(size: int) -> str:
    """The stage of a batch size."""
    return f"batch_{size}"


def run_config(settings: SizeSettings, size: int) -> RunConfig:
    """The run with batches of `size`."""
    lr = settings.lr * (size / REFERENCE_BATCH if settings.scale_lr else 1)
    arms = tuple(ArmConfig(norm=norm, depth=settings.depth, lr=lr) for norm in NORMS)
    steps = min(max(settings.samples // size, 1), 5000)
    return RunConfig(
        arms=arms,
        trials=settings.seeds,
        batch_size=size,
        steps=steps,
        measure_every=max(steps // FRAMES, 1),
        seed=settings.seed,
    )


def stages(settings: SizeSettings) -> tuple[Stage, ...]:
    """One run a batch size, the large and quick ones first."""
    return tuple(
        Stage(key_of(size), f"batches of {size}", run_config(settings, size), KEEP) for size in reversed(settings.batch_sizes)
    )


def charts(settings: SizeSettings) -> tuple[Chart, ...]:
    """Error, loss and the gap between test and training over the batch size."""
    sizes = settings.batch_sizes
    styles = [norm_style(norm) for norm in NORMS]
    error = sweep_chart(
        "error",
        "Test error",
        "Lower is better. A level line: the batch size does not matter.",
        "batch size",
        "test error (%)",
        sizes,
        styles,
        x_log=True,
        y_range=(0.0, 100.0),
    )
    loss = sweep_chart(
        "loss",
        "Training loss",
        "Mean of the last batches, in training mode. Lower is better; guessing costs 2.3 nats.",
        "batch size",
        "training loss (nats)",
        sizes,
        styles,
        x_log=True,
        y_log=True,
    )
    gap = sweep_chart(
        "gap",
        "Test minus training loss",
        "Above 0: unseen digits cost more than those trained on. Below 0: the noise of training mode costs more than that.",
        "batch size",
        "loss gap (nats)",
        sizes,
        styles,
        x_log=True,
    )
    keys = [key_of(size) for size in sizes]
    arms = range(len(NORMS))
    return (
        Chart(error, lambda results: {"": [sweep_series(error_rows(results, keys, arm, settings.seeds)) for arm in arms]}),
        Chart(gap, lambda results: {"": [sweep_series(_rows(results, keys, arm, settings.seeds, _gap)) for arm in arms]}),
        Chart(loss, lambda results: {"": [sweep_series(_rows(results, keys, arm, settings.seeds, _loss)) for arm in arms]}),
    )


def _rows(
    results: Results, keys: list[str], arm: int, trials: int, what: Callable[[Results, str, int, int], NDArray[np.float64]]
) -> NDArray[np.float64]:
    return np.array([what(results, key, arm, trials) for key in keys])


def _loss(results: Results, key: str, arm: int, trials: int) -> NDArray[np.float64]:
    """Training loss of the last batches."""
    return recent_mean(results, key, "train_loss", arm, trials)


def _gap(results: Results, key: str, arm: int, trials: int) -> NDArray[np.float64]:
    """Test loss less the training loss of the last batches; NaN where either is not known or diverged."""
    test, train = reading(results, key, "test_loss", arm, trials), _loss(results, key, arm, trials)
    return np.where(np.isfinite(test), test, np.nan) - np.where(np.isfinite(train), train, np.nan)


def compared_sizes(settings: SizeSettings) -> tuple[int, int]:
    """The smallest batch and one about four times as large."""
    sizes = settings.batch_sizes
    return sizes[0], min(sizes[1:], key=lambda size: abs(np.log(size / sizes[0]) - np.log(4)))


def ratios(settings: SizeSettings, results: Results) -> dict[NormName, NDArray[np.float64]]:
    """Error at the smallest batch over that at the larger one, per trial; infinite where the small one diverged."""
    small, large = (key_of(size) for size in compared_sizes(settings))
    found: dict[NormName, NDArray[np.float64]] = {}
    for arm, norm in enumerate(NORMS):
        top, bottom = (error_of(results, key, arm, settings.seeds) for key in (small, large))
        usable = np.isfinite(bottom) & ~np.isnan(top)
        found[norm] = np.where(usable, top / np.maximum(np.where(usable, bottom, 1.0), 0.1), np.nan)
    return found


def answer_of(found: dict[NormName, NDArray[np.float64]]) -> str | None:
    """Who minds small batches: a norm whose error grows in every trial, and more than anybody else's in any trial."""
    if any(np.isnan(values).any() for values in found.values()):
        return None
    if all(values.max() < SUFFERS for values in found.values()):
        return "alike"
    worst = max(found, key=lambda norm: float(np.median(found[norm])))
    choice = {"none": "none", "batch": "batch"}
    others = [values.max() for norm, values in found.items() if choice.get(norm) != choice.get(worst)]
    is_clear = found[worst].min() > SUFFERS and found[worst].min() > max(others)
    return choice.get(worst, "sample") if is_clear else None


def verdict(settings: SizeSettings, results: Results) -> Verdict | None:
    """The error at the smallest batch over that at four times the size, norm by norm."""
    small, large = compared_sizes(settings)
    if not results.finished(key_of(small), key_of(large)):
        return None
    found = ratios(settings, results)
    errors = {norm: error_of(results, key_of(small), arm, settings.seeds) for arm, norm in enumerate(NORMS)}
    spreads = {norm: spread_of(values) for norm, values in found.items()}
    labels = {"batch": "with batch norm", "group": "with group norm", "none": "without a norm"}
    parts = [
        f"{plain(spreads[norm].median)} {label} ({plain(spreads[norm].low)} to {plain(spreads[norm].high)})"
        for norm, label in labels.items()
    ]
    ends = [f"{plain(float(np.median(errors[norm])))} %" for norm in labels]
    sentence = (
        f"From batches of {large} to batches of {small} the test error grows by a factor of {parts[0]}, {parts[1]} and "
        f"{parts[2]}, over {settings.seeds} seeds: to {ends[0]}, {ends[1]} and {ends[2]}."
    )
    numbers = {f"ratio_{norm}": spread.median for norm, spread in spreads.items()}
    numbers |= {f"ratio_{norm}_low": spread.low for norm, spread in spreads.items()}
    numbers |= {f"ratio_{norm}_high": spread.high for norm, spread in spreads.items()}
    numbers |= {f"error_{norm}": float(np.median(values)) for norm, values in errors.items()}
    return Verdict(answer_of(found), sentence, numbers)


def judge_tiny_batches(verdict: Verdict) -> Finding:
    """Supported when batch norm alone suffers; mixed when it suffers at least three times and others do as well."""
    ratio, group = verdict.numbers["ratio_batch"], verdict.numbers["ratio_group"]
    measured = f"error at the tiny batch over that at four times the size: {plain(ratio)} with BN, {plain(group)} with GN"
    if verdict.answer == "batch":
        return Finding("supported", measured)
    return Finding("mixed" if verdict.numbers["ratio_batch_low"] > SUFFERS else "not supported in this setting", measured)


PART = Part(
    id="size",
    title="Tiny batches",
    question="Batches shrink from 64 samples to 2, with as many samples seen in all: whose test error grows most?",
    choices=(
        Choice("batch", "With batch norm"),
        Choice("sample", "With group or layer norm"),
        Choice("none", "Without a norm"),
        Choice("alike", "Nobody's, by much"),
    ),
    settings=SizeSettings,
    presets=(
        Preset(
            "digits",
            "From 64 down to 2",
            "Four kinds of nets read 3000 digits in batches of every size. Watch the left end of the error lines.",
            SizeSettings(),
        ),
        Preset(
            "enough",
            "From 16 up",
            "Batches of 16 and more only. Watch how little is left of the differences.",
            SizeSettings(batch_sizes=(16, 32, 64, 128), samples=6000),
        ),
        Preset(
            "one",
            "Down to a single sample",
            "In a batch of one, batch norm outputs beta whatever the sample is. Watch the leftmost point.",
            SizeSettings(batch_sizes=(1, 4, 16), samples=2000),
        ),
        Preset(
            "same_lr",
            "One learning rate",
            "The same learning rate at every size, so that small batches take longer steps in all. Watch who diverges.",
            SizeSettings(scale_lr=False, lr=0.05),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(WU_HE, IOFFE_2017, WU_JOHNSON, LUO),
    caveat=("size", "enough"),
    claims=(
        Claim(
            "tiny_batches",
            "Batch norm's error grows rapidly when the batch becomes small; group norm's does not.",
            WU_HE,
            "digits",
            judge_tiny_batches,
        ),
    ),
)
