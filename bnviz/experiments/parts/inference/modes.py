"""One net tested in three ways while it trains: with running, batch and recomputed statistics."""

import numpy as np
from pydantic import Field

from bnviz.config.models import Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.readings import finite
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2015, WU_JOHNSON
from bnviz.experiments.kit.spread import Spread, interval_of
from bnviz.experiments.parts.inference.statistics import (
    BATCH,
    KEEP,
    MODES,
    RECOMPUTED,
    RUNNING,
    as_lines,
    errors,
    in_words,
    losses,
    numbers_of,
    styles,
)

KEY = "net"
FRAMES = 40
ERROR = Quantity(
    "inference_modes",
    "Test error",
    "Lower is better. One net, tested in three ways: where lines part, it matters with which statistics it is tested.",
    "test error (%)",
    range=(0.0, 102.0),
    take=lambda results, stage: as_lines(finite(errors(results, KEY).at(arm="batch"))),
)
LOSS = Quantity(
    "inference_modes",
    "Test loss",
    "Lower is better; guessing costs 2.3 nats.",
    "test loss (nats)",
    log=True,
    take=lambda results, stage: as_lines(finite(losses(results, KEY).at(arm="batch"))),
)


class ModesSettings(Settings):
    """The net, and how it is trained."""

    batch_size: Int = knobs.batch_size(16, least=2, of="In training, and of the test batches.")
    norm_momentum: Float = Field(
        default=0.1, ge=0, le=1, title="Running momentum", description="Weight of the newest batch in the running statistics."
    )
    lr: Float = knobs.learning_rate(0.1, most=2, of="Of plain SGD.")
    depth: Int = knobs.depth(4, most=12, of="Of 32 ReLU units each, with batch norm.")
    steps: Int = knobs.steps(300, most=3000, least=5)
    seeds: Int = knobs.seeds(6, most=16, of="A 95 % interval needs at least 6.")
    seed: Int = knobs.first_seed()


def run_config(settings: ModesSettings) -> RunConfig:
    """One arm with batch norm."""
    return RunConfig(
        arms=(twins.arm_of(settings, "batch"),),
        trials=settings.seeds,
        measure_every=max(settings.steps // FRAMES, 1),
        **settings.model_dump(include={"batch_size", "steps", "seed"}),
    )


def stages(settings: ModesSettings) -> tuple[Stage, ...]:
    """One run."""
    return (Stage(KEY, "training", run_config(settings), ("train_loss", *KEEP)),)


def charts(settings: ModesSettings) -> tuple[Chart, ...]:
    """Test error and test loss over the steps, with each of the statistics."""
    lines = styles(*MODES)
    return ERROR.by_step("error", lines, settings.steps), LOSS.by_step("loss", lines, settings.steps)


def added(found: Labelled, mode: str, reference: str) -> Spread:
    """How much higher the error, by mode and seed, is with these statistics, pair by pair; pairs that diverged are left out."""
    return interval_of((found.at(mode=mode) - found.at(mode=reference)).values, unit="points")


def verdict(settings: ModesSettings, results: Results) -> Verdict | None:
    """The test error with running, batch and recomputed statistics at the end, compared in pairs."""
    if not results.finished(KEY):
        return None
    found = errors(results, KEY).at(arm="batch")
    answer = answer_of(found)
    costs = {f"cost_{mode}": added(found, mode, RECOMPUTED) for mode in (BATCH, RUNNING)}
    headline = say(
        "{who}: after {steps} steps the test error is {errors}.",
        who=_who(answer),
        steps=settings.steps,
        errors=in_words(found),
    )
    words = "Pair by pair, batch statistics add {cost_batch} to the error with recomputed ones, running ones {cost_running}."
    details = say(words, costs)
    return Verdict(answer, headline, numbers_of(found) | costs, details)


def answer_of(found: Labelled) -> str | None:
    """The mode that is clearly worse than both others; 'same' where no two of them differ clearly; errors by mode and seed."""
    signs = {mode: [added(found, mode, other).sign for other in MODES if other != mode] for mode in MODES}
    worse = [mode for mode, against in signs.items() if against == [1, 1]]
    if worse:
        return worse[0]
    return "same" if np.isfinite(found.values).all() and not any(map(any, signs.values())) else None


def _who(answer: str | None) -> str:
    if answer is None:
        return "No statistics are clearly worse than both others"
    return "The three do not clearly differ" if answer == "same" else f"Worst with {MODES[answer]}"


PART = Part(
    id="modes",
    title="Three ways to test",
    question="A batch-norm net, trained in batches of 16, is tested: with which statistics is its error highest?",
    choices=(
        Choice("running", "Running statistics, kept in training"),
        Choice("batch", "Statistics of each test batch of 16"),
        Choice("recomputed", "Statistics recomputed over the training set"),
        Choice("same", "All alike"),
    ),
    settings=ModesSettings,
    presets=(
        Preset(
            "digits",
            "Batches of 16",
            "A net of four layers, tested in three ways while it trains. Watch which line stays above the others.",
            ModesSettings(),
        ),
        Preset(
            "small_momentum",
            "A short run, a small momentum",
            "100 steps, of which each weighs 0.01 in the running statistics. Watch the three lines after the first steps.",
            ModesSettings(norm_momentum=0.01, steps=100, batch_size=64),
        ),
        Preset(
            "large",
            "Batches of 200",
            "The test set is one batch. Watch whether the lines still part.",
            ModesSettings(batch_size=200, steps=150),
        ),
        Preset(
            "last_batch",
            "Momentum 1",
            "The running statistics are those of the last training batch, nothing else. Watch how unsteady their line is.",
            ModesSettings(norm_momentum=1.0),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015.at("algorithm 2"), WU_JOHNSON),
    caveat=("modes", "large"),
)
