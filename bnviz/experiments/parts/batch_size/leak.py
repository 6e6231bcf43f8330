"""The leak: with batch norm in training mode, the output for one sample depends on the others in its batch."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bnviz.charts.builders import category_chart, norm_style, sweep_chart, sweep_series
from bnviz.config.models import Int, NormName
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.lists import ascending
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.batch_size.sources import IOFFE, WU_JOHNSON

KEY = "leak"
NORMS: tuple[NormName, ...] = ("none", "batch", "layer", "group")
BATCH = NORMS.index("batch")
TRAINING, TESTING = 0, 1
ROUNDING = 1e-4  # of the spread over samples: below, it is float32 and no leak


class LeakSettings(Settings):
    """Which nets are looked at, and in which batches."""

    batch_sizes: tuple[Annotated[Int, Field(ge=2, le=256)], ...] = Field(
        default=(2, 4, 8, 16, 32, 64), title="Batch sizes", description="From 2 to 256.", min_length=2, max_length=8
    )
    steps: Int = Field(default=100, ge=0, le=1000, title="Steps", description="Updates before the nets are looked at.")
    depth: Int = Field(default=3, ge=1, le=8, title="Hidden layers", description="Of 32 ReLU units each.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Networks of each kind.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Of data, weights and companions.")

    @field_validator("batch_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return ascending(value)


def stages(settings: LeakSettings) -> tuple[Stage, ...]:
    """One probe."""
    options = {
        "norms": list(NORMS),
        "batch_sizes": settings.batch_sizes,
        "steps": settings.steps,
        "depth": settings.depth,
        "trials": settings.seeds,
        "seed": settings.seed,
    }
    seconds = 0.0015 * settings.steps * settings.depth + 0.4 * len(settings.batch_sizes)
    return (Stage(KEY, "one sample in many batches", probe="sample_leak", options=options, seconds=seconds),)


def charts(settings: LeakSettings) -> tuple[Chart, ...]:
    """How far the logits of a sample move, how often its class changes, and training against test mode."""
    sizes, styles = settings.batch_sizes, [norm_style(norm) for norm in NORMS]
    how = "0: the output is the sample's own affair. 100: its companions move it as much as another sample would."
    title = "batch size in training mode"
    leak = sweep_chart("leak", "Moved by companions", how, title, "movement of the logits (%)", sizes, styles, x_log=True)
    flips = sweep_chart(
        "flips",
        "Another class",
        "Share of the batches in which a sample is put into another class than it is most often.",
        title,
        "batches with another class (%)",
        sizes,
        styles,
        x_log=True,
    )
    modes = category_chart(
        "modes",
        "Training and test",
        f"Movement of the logits in batches of {sizes[0]}, in either mode.",
        "movement of the logits (%)",
        ["training mode", "test mode"],
        styles,
    )
    arms = range(len(NORMS))
    return (
        Chart(leak, lambda results: {"": [sweep_series(100 * _value(results, "leak")[arm, TRAINING]) for arm in arms]}),
        Chart(flips, lambda results: {"": [sweep_series(100 * _value(results, "flips")[arm, TRAINING]) for arm in arms]}),
        Chart(modes, lambda results: {"": [sweep_series(100 * _value(results, "leak")[arm, :, 0]) for arm in arms]}),
    )


def _value(results: Results, name: str) -> NDArray[np.float64]:
    """(norms, modes, sizes, trials)."""
    value = results.value(KEY, name)
    assert value is not None
    return value


def verdict(settings: LeakSettings, results: Results) -> Verdict | None:
    """Whose outputs move, and in which mode."""
    if results.last(KEY) is None:
        return None
    leak, sizes = _value(results, "leak"), settings.batch_sizes
    if not np.isfinite(leak).all():
        return Verdict(None, "A net diverged in training: lower the number of steps.")
    small, large = (spread_of(100 * leak[BATCH, TRAINING, column]) for column in (0, -1))
    flips = spread_of(100 * _value(results, "flips")[BATCH, TRAINING, 0])
    others = float(np.delete(leak, BATCH, axis=0).max())
    tested = 100 * float(leak[BATCH, TESTING].max())
    sentence = (
        f"In training mode companions move a sample's logits by {plain(small.median)} % ({plain(small.low)} to "
        f"{plain(small.high)} over {small.count} nets) of their spread over samples in batches of {sizes[0]} and by "
        f"{plain(large.median)} % in batches of {sizes[-1]} with batch norm; in test mode by {plain(tested)} %, and those of the "
        f"other nets by at most {plain(100 * others)} %."
    )
    numbers = {
        "leak_small": small.median,
        "leak_large": large.median,
        "leak_test_mode": tested,
        "leak_others": 100 * others,
        "flips": flips.median,
    }
    return Verdict(_answer(leak, others), sentence, numbers)


def _answer(leak: NDArray[np.float64], others: float) -> str | None:
    in_training, in_testing = leak[BATCH, TRAINING].min() > ROUNDING, leak[BATCH, TESTING].max() > ROUNDING
    if others > ROUNDING:
        return None
    return "always" if in_training and in_testing else "training" if in_training else "never" if not in_testing else None


PART = Part(
    id="leak",
    title="The leak between samples",
    question="The same sample is put into different batches: does a batch-norm net's output for it change?",
    choices=(
        Choice("never", "No"),
        Choice("training", "Yes, in training mode only"),
        Choice("always", "Yes, in training and at test time"),
    ),
    settings=LeakSettings,
    presets=(
        Preset(
            "trained",
            "Trained nets",
            "Four kinds of nets after 100 steps; test samples meet new companions again and again. Watch whose logits move.",
            LeakSettings(),
        ),
        Preset(
            "large",
            "Large batches",
            "Batches of 64 to 256. Watch how much a single sample's companions still matter.",
            LeakSettings(batch_sizes=(64, 128, 256)),
        ),
        Preset(
            "fresh", "Untrained nets", "The same before the first update. Compare how far the logits move.", LeakSettings(steps=0)
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, WU_JOHNSON),
    caveat=("leak", "large"),
)
