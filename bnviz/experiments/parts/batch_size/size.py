"""Test error against batch size, for four norms that see the same number of samples."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.quantities import Quantity, Swept, norm_styles
from bnviz.experiments.kit.readings import error_of, finite, reading, recent_mean
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, answered, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2017, LUO, WU_HE, WU_JOHNSON
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite

NORMS: tuple[NormName, ...] = ("none", "batch", "group", "layer")
STYLES = norm_styles(*NORMS)
REFERENCE_BATCH = 32  # the batch size that the learning rate is given for
FRAMES = 24  # of each stage
SUFFERS = 1.5  # times the error, in every trial: a norm that does badly in small batches
LEAST_ERROR = 0.1  # %, below which an error counts as this in a ratio
CHOICES = {"none": "none", "batch": "batch", "group": "sample", "layer": "sample"}
KEEP = ("train_loss", "test_loss", "test_accuracy")
ERROR = Quantity(
    "test_accuracy",
    "Test error",
    "Lower is better. A level line: the batch size does not matter.",
    "test error (%)",
    range=(0.0, 100.0),
    take=error_of,
)
LOSS = Quantity(
    "train_loss",
    "Training loss",
    "Mean of the last batches, in training mode. Lower is better; guessing costs 2.3 nats.",
    "training loss (nats)",
    log=True,
    take=recent_mean,
)
GAP = Quantity(
    "test_loss",
    "Test minus training loss",
    "Above 0: unseen digits cost more than those trained on. Below 0: the noise of training mode costs more than that.",
    "loss gap (nats)",
    take=lambda results, stage: finite(reading(results, stage, "test_loss")) - finite(recent_mean(results, stage)),
)


class SizeSettings(Settings):
    """How the networks are trained."""

    batch_sizes: tuple[Annotated[Int, Field(ge=1, le=256)], ...] = Field(
        default=(2, 4, 8, 16, 32, 64), title="Batch sizes", description="From 1 to 256.", min_length=2, max_length=8
    )
    samples: Int = Field(
        default=3000,
        ge=200,
        le=10_000,
        title="Samples seen",
        description="The same at every batch size: there are as many steps as batches in them.",
    )
    lr: Float = knobs.learning_rate(0.1, most=2, of="Of plain SGD, at batches of 32.")
    scale_lr: bool = Field(
        default=True,
        title="Scale the learning rate",
        description="In proportion to the batch size, as Wu & He do; otherwise it is the same for all.",
    )
    depth: Int = knobs.depth(3, most=12, of="Of 32 ReLU units each.")
    seeds: Int = knobs.seeds(3, most=12, of="Networks of each kind and size.")
    seed: Int = knobs.first_seed()

    @field_validator("batch_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return knobs.ascending(value)

    @property
    def grid(self) -> Grid:
        """One stage for each batch size."""
        return Grid("batch_{batch_size}", batch_size=self.batch_sizes)

    @property
    def compared(self) -> tuple[int, int]:
        """The smallest batch and one about four times as large."""
        small, *larger = self.batch_sizes
        return small, min(larger, key=lambda size: abs(np.log(size / small) - np.log(4)))


def run_config(settings: SizeSettings, size: int) -> RunConfig:
    """The run with batches of `size`."""
    lr = settings.lr * (size / REFERENCE_BATCH if settings.scale_lr else 1)
    steps = min(max(settings.samples // size, 1), 5000)
    return RunConfig(
        arms=tuple(ArmConfig(norm=norm, depth=settings.depth, lr=lr) for norm in NORMS),
        trials=settings.seeds,
        batch_size=size,
        steps=steps,
        measure_every=max(steps // FRAMES, 1),
        seed=settings.seed,
    )


def stages(settings: SizeSettings) -> tuple[Stage, ...]:
    """One run for each batch size, the large and quick ones first."""
    grid = settings.grid
    return tuple(
        Stage(grid.key(batch_size=size), f"batches of {size}", run_config(settings, size), KEEP)
        for size in reversed(settings.batch_sizes)
    )


def charts(settings: SizeSettings) -> tuple[Chart, ...]:
    """Error, loss and the gap between test and training over the batch size."""
    grid, sizes = settings.grid, Swept("batch_size", settings.batch_sizes, "batch size", log=True)
    return (
        ERROR.by_value("error", STYLES, sizes, lambda results: grid.collect(results, ERROR.newest)),
        GAP.by_value("gap", STYLES, sizes, lambda results: grid.collect(results, GAP.newest)),
        LOSS.by_value("loss", STYLES, sizes, lambda results: grid.collect(results, LOSS.newest)),
    )


def ratios(small: Labelled, large: Labelled) -> dict[str, FloatArray]:
    """Errors at the smallest batch over those at the larger one, (seeds,) by norm; infinite: the small one diverged."""
    over = small / finite(large).map(lambda errors: np.maximum(errors, LEAST_ERROR))
    return {norm: over.at(arm=norm).values for norm in NORMS}


def answer_of(found: Mapping[str, FloatArray]) -> str | None:
    """Who does badly in small batches: whose error, (seeds,), grows for every seed, and more than any other's for any."""
    if any(np.isnan(values).any() for values in found.values()):
        return None
    if all(values.max() < SUFFERS for values in found.values()):
        return "alike"
    worst = max(found, key=lambda norm: float(np.median(found[norm])))
    others = [values.max() for norm, values in found.items() if CHOICES[norm] != CHOICES[worst]]
    is_clear = found[worst].min() > SUFFERS and found[worst].min() > max(others)
    return CHOICES[worst] if is_clear else None


def verdict(settings: SizeSettings, results: Results) -> Verdict | None:
    """The error at the smallest batch over that at four times the size, norm by norm."""
    sizes, grid = settings.compared, settings.grid
    if not results.finished(*(grid.key(batch_size=size) for size in sizes)):
        return None
    small, large = (ERROR.newest(results, grid.key(batch_size=size)) for size in sizes)
    found = ratios(small, large)
    numbers = {f"ratio_{norm}": spread_of(values) for norm, values in found.items()}
    numbers |= {f"error_{norm}": spread_of(small.at(arm=norm).values, unit="%") for norm in NORMS}
    return Verdict(answer_of(found), _headline(sizes, numbers), numbers, _details(sizes[0], small))


def _headline(sizes: tuple[int, int], numbers: Mapping[str, Spread]) -> str:
    return say(
        "From batches of {large} to batches of {small} the test error grows by a factor of {ratio_batch} with batch norm, "
        "{ratio_group} with group norm and {ratio_none} for the plain net.",
        {**numbers, "small": sizes[0], "large": sizes[1]},
    )


def _details(size: int, errors: Labelled) -> str:
    found = {norm: spread_of_finite(values.values, unit="%") for norm, values in errors.along("arm")}
    words = "In batches of {size} it is {batch} with batch norm, {group} with group norm and {none} for the plain net."
    return say(words, {**found, "size": size})


judge_tiny_batches = rule(
    "error at the tiny batch over that at four times the size: {ratio_batch} with batch norm, {ratio_group} with group norm",
    supported=answered("batch"),
    mixed=all_above("ratio_batch", SUFFERS),
)


PART = Part(
    id="size",
    title="Tiny batches",
    question="Batches shrink from 64 samples to 2, with as many samples seen in all: whose test error grows most?",
    choices=(
        Choice("batch", "With batch norm"),
        Choice("sample", "With group or layer norm"),
        Choice("none", "Without a norm"),
        Choice("alike", "None stands out"),
    ),
    settings=SizeSettings,
    presets=(
        Preset(
            "digits",
            "From 64 down to 2",
            "Four kinds of nets see 3000 digits each, in batches of every size. Watch the left end of the error lines.",
            SizeSettings(),
        ),
        Preset(
            "enough",
            "From 16 up",
            "Batches of 16 and more only. Watch how large the differences between the nets still are.",
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
            "The same learning rate at every size, so that small batches take longer steps in all. Watch which nets diverge.",
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
