"""With and without dropout, with and without batch norm: whether dropout is still worth it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from bnviz.charts.builders import add_level
from bnviz.charts.theme import arm_styles
from bnviz.config.models import DatasetConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.quantities import Conditions, Quantity, norm_styles
from bnviz.experiments.kit.readings import error_of, finite, reading, recent_mean
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import listed, say
from bnviz.experiments.kit.sources import IOFFE_2015, LI_2018_DROPOUT, LUO
from bnviz.experiments.kit.spread import Spread, interval_of, spread_of_finite
from bnviz.experiments.kit.twins import arm_of

NONE, NONE_DROPOUT, BATCH, BATCH_DROPOUT = "no norm", "no norm, dropout", "batch norm", "batch norm, dropout"
KEEP = ("train_loss", "test_loss", "test_accuracy")
FRAMES = 40
GAIN = "gain_batch_"  # before a training size: the number of dropout's gain with batch norm
ERROR = Quantity(
    "test_accuracy", "Test error", "Lower is better. Boxes: the spread over the seeds.", "test error (%)", take=error_of
)
GAINS = Quantity(
    "test_accuracy",
    "What dropout gains",
    "Test error without dropout minus that with it, pair by pair: above 0, dropout helped.",
    "gain (percentage points)",
)
GAP = Quantity(
    "test_loss",
    "Test minus training loss",
    "Training loss is that of the last batches, with dropout on where there is dropout. A large gap: overfitted.",
    "loss gap (nats)",
)


class DropoutSettings(Settings):
    """How the four nets are trained."""

    train_sizes: tuple[Annotated[Int, Field(ge=50, le=1200)], ...] = Field(
        default=(80, 1000),
        title="Training samples",
        description="One study for each, 50 to 1200: the fewer there are, the easier it is to overfit.",
        min_length=1,
        max_length=4,
    )
    dropout: Float = Field(default=0.3, ge=0.05, le=0.9, title="Dropout", description="Share of a layer's outputs set to 0.")
    depth: Int = knobs.depth(3, most=10, of="Of 64 ReLU units each.")
    lr: Float = knobs.learning_rate(0.1, most=2, of="Of plain SGD, the same for all nets.")
    steps: Int = knobs.steps(500, most=3000, least=20, of="Updates with batches of 32.")
    seeds: Int = knobs.seeds(6, most=16, of="Networks of each kind. A 95 % interval needs at least 6.")
    seed: Int = knobs.first_seed()

    @field_validator("train_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return knobs.ascending(value, 1)

    @property
    def grid(self) -> Grid:
        """One stage for each training size."""
        return Grid("train_{size}", size=self.train_sizes)


def run_config(settings: DropoutSettings, size: int) -> RunConfig:
    """The run on `size` samples: four arms."""
    arms = (
        arm_of(settings, "none", name=NONE, width=64, dropout=0.0),
        arm_of(settings, "none", name=NONE_DROPOUT, width=64),
        arm_of(settings, "batch", name=BATCH, width=64, dropout=0.0),
        arm_of(settings, "batch", name=BATCH_DROPOUT, width=64),
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
    """One run for each training size."""
    grid = settings.grid
    return tuple(
        Stage(grid.key(**point), say("{size} training samples", point), run_config(settings, point["size"]), KEEP)
        for point in grid
    )


def charts(settings: DropoutSettings) -> tuple[Chart, ...]:
    """Test error, what dropout gains, and the gap between training and test, for every training size."""
    grid = settings.grid
    sizes = Conditions("size", {size: f"{size} samples" for size in settings.train_sizes})
    run = run_config(settings, settings.train_sizes[0])
    styles = dict(zip(run.arm_labels, arm_styles(run), strict=True))
    gains = GAINS.by_condition("gain", norm_styles("none", "batch"), sizes, lambda results: _gains(grid, results))
    add_level(gains.spec, 0.0, "no gain")
    return (
        ERROR.by_condition("error", styles, sizes, lambda results: grid.collect(results, ERROR.newest)),
        gains,
        GAP.by_condition("gap", styles, sizes, lambda results: grid.collect(results, _gap)),
    )


def _gains(grid: Grid, results: Results) -> Labelled:
    """What dropout takes off the error, by arm (no norm, batch norm), size and seed; NaN where a net diverged."""
    errors = finite(grid.collect(results, ERROR.newest))
    return stacked("arm", {"none": _gain(errors, NONE, NONE_DROPOUT), "batch": _gain(errors, BATCH, BATCH_DROPOUT)})


def _gain(errors: Labelled, arm: str, other: str) -> Labelled:
    """How much lower the error of the other net is."""
    return errors.at(arm=arm) - errors.at(arm=other)


def _gap(results: Results, stage: str) -> Labelled:
    return finite(reading(results, stage, "test_loss")) - finite(recent_mean(results, stage))


def answer_of(gains: list[Spread]) -> str | None:
    """Whether dropout clearly lowers the error of the batch-norm net: at every training size, at some, or at none."""
    if any(found.count < 2 for found in gains):
        return None
    helped = [found.sign > 0 for found in gains]
    return "needed" if all(helped) else "depends" if any(helped) else "unneeded"


def verdict(settings: DropoutSettings, results: Results) -> Verdict | None:
    """What dropout gains with batch norm at each training size, and without it."""
    grid = settings.grid
    sizes = [size for size in settings.train_sizes if results.finished(grid.key(size=size))]
    if not sizes:
        return None
    errors = grid.collect(results, ERROR.newest)
    numbers: dict[str, Spread] = {}
    for size in sizes:
        here = errors.at(size=size)
        numbers |= {
            f"{GAIN}{size}": _points(here, BATCH, BATCH_DROPOUT),
            f"gain_plain_{size}": _points(here, NONE, NONE_DROPOUT),
            f"gain_norm_over_dropout_{size}": _points(here, NONE_DROPOUT, BATCH),
        }
    gains = [numbers[f"{GAIN}{size}"] for size in settings.train_sizes if size in sizes]
    answer = answer_of(gains) if len(sizes) == len(settings.train_sizes) else None
    return Verdict(answer, f"With batch norm, {_in_words(numbers)}.", numbers, _details(sizes[-1], errors.at(size=sizes[-1])))


def _points(errors: Labelled, arm: str, other: str) -> Spread:
    return interval_of(_gain(errors, arm, other).values, "pairs", "points")


def _in_words(numbers: Mapping[str, Any]) -> str:
    """'dropout gains 3 points (2 to 4 over 5 pairs) with 80 training samples and ...'."""
    gains = {name.removeprefix(GAIN): gain for name, gain in numbers.items() if name.startswith(GAIN)}
    known = {size: gain if gain.count else "an unknown amount" for size, gain in gains.items()}
    parts = [say("{gain} with {size} training samples", gain=gain, size=size) for size, gain in known.items()]
    return f"dropout gains {listed(parts)}"


def _details(size: int, errors: Labelled) -> str:
    return say(
        "Above 0 it lowers the test error, below 0 it raises it. With {size} training samples the error is {batch} with batch "
        "norm alone and {dropout} with dropout alone.",
        size=size,
        batch=spread_of_finite(errors.at(arm=BATCH).values, unit="%"),
        dropout=spread_of_finite(errors.at(arm=NONE_DROPOUT).values, unit="%"),
    )


judge_unneeded = rule(_in_words, supported=answered("unneeded"), against=answered("needed"))


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
            "150, 300 and 600 training digits. Watch where the gain with batch norm crosses 0.",
            DropoutSettings(train_sizes=(150, 300, 600)),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015, LI_2018_DROPOUT, LUO),
    caveat=("dropout", "strong"),
    claims=(
        Claim(
            "dropout_unneeded",
            "Batch norm regularizes, so that dropout can be left out.",
            IOFFE_2015,
            "few_and_many",
            judge_unneeded,
        ),
    ),
)
