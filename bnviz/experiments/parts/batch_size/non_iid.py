"""Batches of a single class: what batch norm learns from them does not hold for a mixed test set."""

from collections.abc import Mapping

import numpy as np

from bnviz.config.models import ArmConfig, BatchMode, Float, Int, NormName, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Conditions, Quantity, norm_styles
from bnviz.experiments.kit.readings import error_of, reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, answered, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2017, WU_JOHNSON
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite

NORMS: tuple[NormName, ...] = ("none", "batch", "layer", "group", "rms")
STYLES = norm_styles(*NORMS)
NONE, BATCH = "none", "batch"
MIXED, SINGLE = "iid", "single_class"
MODES: dict[BatchMode, str] = {MIXED: "mixed batches", SINGLE: "one class a batch"}
GRID = Grid("{mode}", mode=tuple(MODES))
LEARNED = 50.0  # % of test error: a net above it, with mixed batches, has learned too little to be broken
BREAKS, HOLDS = 3.0, 1.5  # times the error with mixed batches, in every trial: broken; in no trial: held
LEAST_ERROR = 0.1  # %, below which an error counts as this in a ratio
KEEP = ("train_loss", "test_accuracy", "inference_modes")
ERROR = Quantity(
    "test_accuracy",
    "Test error",
    "Lower is better; guessing gets 90 % wrong. Left and right differ only in how batches are put together.",
    "test error (%)",
    range=(0.0, 102.0),
    take=error_of,
)
ERROR_BY_BATCH = Quantity(
    "inference_batch_accuracy",
    "Test error, batch statistics",
    "The same nets, normalized with the statistics of mixed test batches: running statistics are not to blame here.",
    "test error (%)",
    range=(0.0, 102.0),
    take=lambda results, stage: error_of(results, stage, "inference_batch_accuracy"),
)
LOSS = Quantity(
    "train_loss",
    "Training loss",
    "On the step's own batch, in training mode.",
    "training loss (nats)",
    log=True,
    take=lambda results, stage: reading(results, stage, "train_loss"),
)


class NonIidSettings(Settings):
    """How the networks are trained."""

    batch_size: Int = knobs.batch_size(32, most=100, least=2)
    lr: Float = knobs.learning_rate(0.05, most=1, of="Of plain SGD, the same for all nets.")
    depth: Int = knobs.depth(3, most=10, of="Of 32 ReLU units each.")
    steps: Int = knobs.steps(400, most=3000, least=20)
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each kind.")
    seed: Int = knobs.first_seed()


def run_config(settings: NonIidSettings, mode: BatchMode) -> RunConfig:
    """The run with batches of this kind."""
    return RunConfig(
        arms=tuple(ArmConfig(norm=norm, depth=settings.depth, lr=settings.lr) for norm in NORMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        batch_mode=mode,
        steps=settings.steps,
        measure_every=max(settings.steps // 10, 1),
        seed=settings.seed,
    )


def stages(settings: NonIidSettings) -> tuple[Stage, ...]:
    """Mixed batches, then batches of one class."""
    return tuple(Stage(GRID.key(mode=mode), label, run_config(settings, mode), KEEP) for mode, label in MODES.items())


def charts(settings: NonIidSettings) -> tuple[Chart, ...]:
    """Test error, test error with the statistics of mixed test batches, and the training loss."""
    modes = Conditions("mode", MODES)
    return (
        ERROR.by_condition("error", STYLES, modes, lambda results: GRID.collect(results, ERROR.newest)),
        ERROR_BY_BATCH.by_condition("batch", STYLES, modes, lambda results: GRID.collect(results, ERROR_BY_BATCH.newest)),
        LOSS.by_condition("loss", STYLES, modes, lambda results: GRID.collect(results, LOSS.newest)),
    )


def verdict(settings: NonIidSettings, results: Results) -> Verdict | None:
    """Whose error with single-class batches is many times that with mixed ones."""
    if not results.finished(*GRID.keys):
        return None
    errors = GRID.collect(results, ERROR.newest)
    mixed, single = errors.at(mode=MIXED), errors.at(mode=SINGLE)
    if (mixed.over("seed").values > LEARNED).any():
        plain_error = spread_of_finite(mixed.at(arm=NONE).values, unit="%")
        return Verdict(None, say(NOT_LEARNED, error=plain_error))
    found = ratios(mixed, single)
    numbers = {f"ratio_{norm}": ratio for norm, ratio in found.items()}
    numbers |= {f"error_{norm}": spread_of(single.at(arm=norm).values, unit="%") for norm in (BATCH, NONE)}
    return Verdict(answer_of(found), _headline(mixed, single), numbers, _details(found, mixed, single))


NOT_LEARNED = (
    "At least one kind of net has not learned, and a net that has not learned cannot be misled: the plain net's error is {error} "
    "with mixed batches."
)


def ratios(mixed: Labelled, single: Labelled) -> dict[str, Spread]:
    """Error with batches of one class over that with mixed ones, for each norm none of whose nets diverged with the latter."""
    over = single / mixed.map(lambda errors: np.maximum(errors, LEAST_ERROR))
    return {norm: spread_of(over.at(arm=norm).values) for norm, errors in mixed.along("arm") if np.isfinite(errors.values).all()}


def _headline(mixed: Labelled, single: Labelled) -> str:
    return say(
        "With one class a batch, batch norm's test error goes from {before:median} to {after}.",
        before=spread_of_finite(mixed.at(arm=BATCH).values, unit="%"),
        after=spread_of_finite(single.at(arm=BATCH).values, unit="%"),
    )


def _details(found: Mapping[str, Spread], mixed: Labelled, single: Labelled) -> str:
    return say(
        "The plain net's goes from {before:median} to {after}, and no other net's grows by more than a factor of {others} in the "
        "median.",
        before=spread_of_finite(mixed.at(arm=NONE).values, unit="%"),
        after=spread_of_finite(single.at(arm=NONE).values, unit="%"),
        others=max((ratio.median for norm, ratio in found.items() if norm != BATCH), default=np.nan),
    )


def answer_of(found: Mapping[str, Spread]) -> str | None:
    """Who breaks in every trial, when all others hold in every trial; None when somebody is in between."""
    broken = {norm for norm, ratio in found.items() if ratio.low > BREAKS}
    held = {norm for norm, ratio in found.items() if ratio.high < HOLDS}
    if broken | held != set(NORMS):
        return None
    if broken == {BATCH}:
        return "batch"
    return "all" if broken == set(NORMS) else "none" if not broken else None


judge_non_iid = rule(
    "test error {error_batch} with batch norm, {error_none} for the plain net",
    supported=answered("batch"),
    mixed=all_above("ratio_batch", BREAKS),
)


PART = Part(
    id="non_iid",
    title="Batches of one class",
    question="Every batch holds samples of one class only, and the classes take turns: which nets still tell them apart?",
    choices=(
        Choice("none", "All of them"),
        Choice("batch", "All but the nets with batch norm"),
        Choice("all", "None of them"),
    ),
    settings=NonIidSettings,
    presets=(
        Preset(
            "digits",
            "Ten digits",
            "Five kinds of nets, first with mixed batches, then with one digit a batch. Compare left and right.",
            NonIidSettings(),
        ),
        Preset(
            "short",
            "Before any net has learned",
            "20 small steps only: a net that still guesses cannot be misled. Watch how far apart left and right are.",
            NonIidSettings(steps=20, lr=0.002),
        ),
        Preset(
            "shallow",
            "One layer",
            "One hidden layer, a small learning rate. Watch which nets still get the test set wrong.",
            NonIidSettings(depth=1, lr=0.02),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2017, WU_JOHNSON),
    caveat=("non_iid", "short"),
    claims=(
        Claim(
            "non_iid_batches",
            "Batch norm depends on batches that look like the data: with batches of one class it fails.",
            IOFFE_2017,
            "digits",
            judge_non_iid,
        ),
    ),
)
