"""With and without dropout, with and without batch norm: whether dropout is still worth it."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bnviz.charts.builders import add_level, category_chart, norm_style, sweep_series
from bnviz.charts.theme import arm_styles
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import Gain, error_of, error_rows, gain, reading, recent_mean, words
from bnviz.experiments.kit.lists import ascending
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.batch_size.sources import IOFFE, LI, LUO

LABELS = ("no norm", "no norm, dropout", "batch norm", "batch norm, dropout")
PLAIN, PLAIN_DROPOUT, BATCH, BATCH_DROPOUT = range(4)  # the arms
KEEP = ("train_loss", "test_loss", "test_accuracy")
FRAMES = 40


class DropoutSettings(Settings):
    """How the four nets are trained."""

    train_sizes: tuple[Annotated[Int, Field(ge=50, le=1200)], ...] = Field(
        default=(80, 1000),
        title="Training samples",
        description="One study each, 50 to 1200: with few there is much to overfit.",
        min_length=1,
        max_length=4,
    )
    dropout: Float = Field(default=0.3, ge=0.05, le=0.9, title="Dropout", description="Share of a layer's outputs set to 0.")
    depth: Int = Field(default=3, ge=1, le=10, title="Hidden layers", description="Of 64 ReLU units each.")
    lr: Float = Field(default=0.1, ge=0.001, le=2, title="Learning rate", description="Of plain SGD, the same for all.")
    steps: Int = Field(default=500, ge=20, le=3000, title="Steps", description="Updates with batches of 32.")
    seeds: Int = Field(default=6, ge=1, le=16, title="Seeds", description="A 95 % interval needs at least 6.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")

    @field_validator("train_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return ascending(value, 1)


def key_of(size: int) -> str:
    """The stage of a training size."""
    return f"train_{size}"


def run_config(settings: DropoutSettings, size: int) -> RunConfig:
    """The run on `size` samples: four arms."""
    arms = tuple(
        ArmConfig(
            name=LABELS[2 * index + bool(dropout)], norm=norm, dropout=dropout, depth=settings.depth, width=64, lr=settings.lr
        )
        for index, norm in enumerate(("none", "batch"))
        for dropout in (0.0, settings.dropout)
    )
    return RunConfig(
        dataset=DatasetConfig(train_size=size, test_size=500),
        arms=arms,
        trials=settings.seeds,
        batch_size=32,
        steps=settings.steps,
        measure_every=max(settings.steps // FRAMES, 1),
        seed=settings.seed,
    )


def stages(settings: DropoutSettings) -> tuple[Stage, ...]:
    """One run a training size."""
    return tuple(
        Stage(key_of(size), f"{size} training samples", run_config(settings, size), KEEP) for size in settings.train_sizes
    )


def charts(settings: DropoutSettings) -> tuple[Chart, ...]:
    """Test error, what dropout gains, and the gap between training and test, for every training size."""
    sizes = settings.train_sizes
    categories = [f"{size} samples" for size in sizes]
    styles = arm_styles(run_config(settings, sizes[0]))
    error = category_chart(
        "error", "Test error", "Lower is better. Boxes: the spread over the seeds.", "test error (%)", categories, styles
    )
    gains = category_chart(
        "gain",
        "What dropout gains",
        "Test error without dropout less that with it, pair by pair: above 0, dropout helped.",
        "gain (percentage points)",
        categories,
        [norm_style("none"), norm_style("batch")],
    )
    add_level(gains, 0.0, "no gain")
    gap = category_chart(
        "gap",
        "Test minus training loss",
        "Training loss is that of the last batches, with dropout on where there is dropout. A large gap: overfitted.",
        "loss gap (nats)",
        categories,
        styles,
    )
    keys = [key_of(size) for size in sizes]
    return (
        Chart(error, lambda results: {"": [sweep_series(error_rows(results, keys, arm, settings.seeds)) for arm in range(4)]}),
        Chart(gains, lambda results: {"": _gains(results, keys, settings.seeds)}),
        Chart(gap, lambda results: {"": [_gaps(results, keys, arm, settings.seeds) for arm in range(4)]}),
    )


def _gains(results: Results, keys: list[str], trials: int) -> list[Series]:
    rows = [_finite(error_rows(results, keys, arm, trials)) for arm in range(4)]
    return [sweep_series(rows[PLAIN] - rows[PLAIN_DROPOUT]), sweep_series(rows[BATCH] - rows[BATCH_DROPOUT])]


def _gaps(results: Results, keys: list[str], arm: int, trials: int) -> Series:
    test = np.array([reading(results, key, "test_loss", arm, trials) for key in keys])
    train = np.array([recent_mean(results, key, "train_loss", arm, trials) for key in keys])
    return sweep_series(_finite(test) - _finite(train))


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def answer_of(gains: list[Gain]) -> str | None:
    """Whether dropout clearly lowers the error of the batch-norm net: at every training size, at some, or at none."""
    if any(found.count < 2 for found in gains):
        return None
    helped = [found.sign > 0 for found in gains]
    return "needed" if all(helped) else "depends" if any(helped) else "unneeded"


def verdict(settings: DropoutSettings, results: Results) -> Verdict | None:
    """What dropout gains with batch norm at each training size, and without it."""
    sizes = [size for size in settings.train_sizes if results.finished(key_of(size))]
    if not sizes:
        return None
    errors = {size: [error_of(results, key_of(size), arm, settings.seeds) for arm in range(4)] for size in sizes}
    with_norm = {size: gain(rows[BATCH], rows[BATCH_DROPOUT]) for size, rows in errors.items()}
    without = {size: gain(rows[PLAIN], rows[PLAIN_DROPOUT]) for size, rows in errors.items()}
    norm_alone = {size: gain(rows[PLAIN_DROPOUT], rows[BATCH]) for size, rows in errors.items()}
    changes = {size: gain(rows[BATCH_DROPOUT], rows[BATCH]) for size, rows in errors.items()}
    parts = " and ".join(f"by {change} with {size} training samples" for size, change in changes.items())
    last = errors[sizes[-1]]
    sentence = (
        f"Dropout changes batch norm's test error {parts}. With {sizes[-1]} it is {words(last[BATCH])} with batch norm alone, "
        f"{words(last[PLAIN_DROPOUT])} with dropout alone."
    )
    numbers: dict[str, float] = {}
    for size in sizes:
        for name, found in (("batch", with_norm[size]), ("plain", without[size]), ("norm_over_dropout", norm_alone[size])):
            numbers |= {
                f"gain_{name}_{size}": found.median,
                f"gain_{name}_{size}_low": found.low,
                f"gain_{name}_{size}_high": found.high,
            }
    is_whole = len(sizes) == len(settings.train_sizes)
    return Verdict(answer_of(list(with_norm.values())) if is_whole else None, sentence, numbers)


def judge_unneeded(verdict: Verdict) -> Finding:
    """By the answer: unneeded at every training size, at some, or at none."""
    gains = [
        f"by {plain(-value, 2)} points with {name.removeprefix('gain_batch_')} training samples"
        for name, value in verdict.numbers.items()
        if name.startswith("gain_batch_") and not name.endswith(("_low", "_high"))
    ]
    measured = f"dropout changes batch norm's test error {', '.join(gains)}"
    judgements = {"unneeded": "supported", "depends": "mixed", "needed": "not supported in this setting", None: "mixed"}
    return Finding(judgements[verdict.answer], measured)  # pyright: ignore[reportArgumentType]


PART = Part(
    id="dropout",
    title="Is dropout unneeded?",
    question="A net has batch norm already: does dropout still lower its test error?",
    choices=(
        Choice("unneeded", "No: batch norm is enough"),
        Choice("depends", "It depends on how many training samples there are"),
        Choice("needed", "Yes, in any case"),
    ),
    settings=DropoutSettings,
    presets=(
        Preset(
            "few_and_many",
            "Few samples and many",
            "Four nets learn from 80 digits, then from 1000. Watch what dropout gains with and without batch norm.",
            DropoutSettings(),
        ),
        Preset(
            "strong",
            "Strong dropout",
            "Half of all outputs are dropped. Watch the gain with many samples.",
            DropoutSettings(dropout=0.5),
        ),
        Preset(
            "middle",
            "In between",
            "150, 300 and 600 training digits. Watch where the gain with batch norm goes through 0.",
            DropoutSettings(train_sizes=(150, 300, 600)),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, LI, LUO),
    caveat=("dropout", "strong"),
    claims=(
        Claim(
            "dropout_unneeded",
            "Batch norm regularizes, so that dropout can be left out.",
            IOFFE,
            "few_and_many",
            judge_unneeded,
        ),
    ),
)
