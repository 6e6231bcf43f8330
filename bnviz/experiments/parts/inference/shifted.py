"""Test data that are shifted or scaled against the training data: running against batch statistics."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from bnviz.config.models import DatasetConfig, Float, Int, NormName, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import Quantity, Swept, norm_styles
from bnviz.experiments.kit.readings import error_of
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import NADO, SCHNEIDER
from bnviz.experiments.kit.spread import interval_of, spread_of, spread_of_finite
from bnviz.experiments.parts.inference.statistics import BATCH, KEEP, RUNNING, as_lines, errors, numbers_of, styles

NORMS: tuple[NormName, ...] = ("batch", "none", "layer")
CLEAR = 3.0  # percentage points, in every trial: a difference worth the name
MODES_ERROR = Quantity(
    "inference_modes",
    "One net, two statistics",
    "Lower is better. The same batch-norm net, tested with the statistics of training or with those of the test batch.",
    "test error (%)",
    range=(0.0, 102.0),
    take=lambda results, stage: as_lines(errors(results, stage, (RUNNING, BATCH)).at(arm="batch")),
)
NETS_ERROR = Quantity(
    "inference_running_accuracy",
    "Three nets as used",
    "Lower is better. Batch norm with running statistics, as usual, beside nets that keep none.",
    "test error (%)",
    range=(0.0, 102.0),
    take=lambda results, stage: error_of(results, stage, NETS_ERROR.measure),
)


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
    batch_size: Int = knobs.batch_size(64, most=200, least=2, of="In training, and of the test batches.")
    lr: Float = knobs.learning_rate(0.1, most=2, of="Of plain SGD, the same for all.")
    steps: Int = knobs.steps(150, most=2000, least=5)
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each kind.")
    seed: Int = knobs.first_seed()

    @field_validator("values")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return knobs.ascending(value)

    @property
    def grid(self) -> Grid:
        """One stage for each value."""
        return Grid("at_{value:g}", value=self.values)


def run_config(settings: ShiftedSettings, value: float) -> RunConfig:
    """The same training at every value: only the test set differs."""
    return RunConfig(
        dataset=DatasetConfig.model_validate({f"test_{settings.kind}": value}),
        arms=tuple(twins.arm_of(settings, norm, depth=4) for norm in NORMS),
        trials=settings.seeds,
        measure_every=max(settings.steps // 3, 1),
        **settings.model_dump(include={"batch_size", "steps", "seed"}),
    )


def stages(settings: ShiftedSettings) -> tuple[Stage, ...]:
    """One run for each value."""
    return tuple(
        Stage(settings.grid.key(value=value), f"{settings.kind} {number(value)}", run_config(settings, value), KEEP)
        for value in settings.values
    )


def charts(settings: ShiftedSettings) -> tuple[Chart, ...]:
    """The batch-norm net tested in two ways; all nets as they are used."""
    grid = settings.grid
    title = "added to the test inputs (training: 0)" if settings.kind == "shift" else "factor on the test inputs (training: 1)"
    values = Swept("value", settings.values, title, log=settings.kind == "scale" and settings.values[0] > 0)
    return (
        MODES_ERROR.by_value("modes", styles(RUNNING, BATCH), values, lambda results: grid.collect(results, MODES_ERROR.newest)),
        NETS_ERROR.by_value("nets", norm_styles(*NORMS), values, lambda results: grid.collect(results, NETS_ERROR.newest)),
    )


def farthest(settings: ShiftedSettings) -> float:
    """The value that changes the test data most; for a factor, in the logarithm."""
    if settings.kind == "shift":
        return max(settings.values, key=abs)
    return max(settings.values, key=lambda value: abs(np.log(max(abs(value), 1e-9))))


def verdict(settings: ShiftedSettings, results: Results) -> Verdict | None:
    """Running against batch statistics where the test data are off most."""
    value = farthest(settings)
    stage = settings.grid.key(value=value)
    if not results.finished(stage):
        return None
    found = errors(results, stage, (RUNNING, BATCH))
    running, batch = (found.at(mode=mode, arm="batch") for mode in (RUNNING, BATCH))
    plain_net = found.at(mode=RUNNING, arm="none")
    saved = interval_of((running - batch).values, unit="points")
    numbers = {**numbers_of(found.at(arm="batch")), "error_none": spread_of(plain_net.values, unit="%"), "saved": saved}
    headline = say(
        "On test data {kind} by {value} the batch-norm net's error is {running} with running statistics and {batch} with those "
        "of the test batch{effect}.",
        kind="shifted" if settings.kind == "shift" else "scaled",
        value=value,
        running=spread_of_finite(running.values, unit="%"),
        batch=spread_of_finite(batch.values, unit="%"),
        effect=_effect(running - batch),
    )
    details = say("The plain net's is {error}.", error=spread_of_finite(plain_net.values, unit="%"))
    return Verdict(_answer(running.values, batch.values), headline, numbers, details)


def _effect(saved: Labelled) -> str:
    """What batch statistics save or cost, seed by seed; empty where every pair has diverged."""
    saves = interval_of(saved.values, unit="points")
    if not saves.count:
        return ""
    return f", which saves {saves}" if saves.median >= 0 else f", which costs {interval_of(-1 * saved.values, unit='points')}"


def _answer(running: FloatArray, batch: FloatArray) -> str | None:
    """The statistics whose error, (pairs,), is clearly the lower one in every pair; 'same': clearly so in none."""
    if not np.isfinite([running, batch]).all():
        return None
    saved = running - batch
    if saved.min() > CLEAR:
        return BATCH
    return RUNNING if saved.max() < -CLEAR else "same" if np.abs(saved).max() < CLEAR else None


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
            "Test inputs are multiplied by 0.1 to 10. Watch whose errors change.",
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
