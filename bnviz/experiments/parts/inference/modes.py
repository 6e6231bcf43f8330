"""One net tested in three ways while it trains: with running, batch and recomputed statistics."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import curve_chart, curve_point, plain_styles
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import error_of, gain, reading, words
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.inference.sources import IOFFE, WU_JOHNSON

KEY = "net"
MODES = {"running": "running statistics", "batch": "batch statistics", "recomputed": "recomputed statistics"}
FRAMES = 40


class ModesSettings(Settings):
    """The net, and how it is trained."""

    batch_size: Int = Field(default=16, ge=2, le=256, title="Batch size", description="In training, and of the test batches.")
    norm_momentum: Float = Field(
        default=0.1, ge=0, le=1, title="Running momentum", description="Weight of the newest batch in the running statistics."
    )
    lr: Float = Field(default=0.1, ge=0.001, le=2, title="Learning rate", description="Of plain SGD.")
    depth: Int = Field(default=4, ge=1, le=12, title="Hidden layers", description="Of 32 ReLU units each, with batch norm.")
    steps: Int = Field(default=300, ge=5, le=3000, title="Steps", description="Updates.")
    seeds: Int = Field(default=6, ge=1, le=16, title="Seeds", description="A 95 % interval needs at least 6.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")


def run_config(settings: ModesSettings) -> RunConfig:
    """One arm with batch norm."""
    arm = ArmConfig(norm="batch", depth=settings.depth, lr=settings.lr, norm_momentum=settings.norm_momentum)
    return RunConfig(
        arms=(arm,),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // FRAMES, 1),
        seed=settings.seed,
    )


def stages(settings: ModesSettings) -> tuple[Stage, ...]:
    """One run."""
    return (Stage(KEY, "training", run_config(settings), ("train_loss", "inference_modes")),)


def charts(settings: ModesSettings) -> tuple[Chart, ...]:
    """Test error and test loss over the steps, with either statistics."""
    styles = plain_styles(tuple(MODES.values()))
    how = "Lower is better. One net, tested in three ways: where lines part, it matters with which statistics it is tested."
    error = curve_chart("error", "Test error", how, "test error (%)", styles, settings.steps, y_range=(0.0, 102.0))
    loss = curve_chart(
        "loss", "Test loss", "Lower is better; guessing costs 2.3 nats.", "test loss (nats)", styles, settings.steps, y_log=True
    )
    return (
        Chart(error, lambda results: {"": [curve_point(_finite(values)) for values in errors(settings, results).values()]}),
        Chart(loss, lambda results: {"": [curve_point(_finite(values)) for values in losses(settings, results).values()]}),
    )


def errors(settings: ModesSettings, results: Results) -> dict[str, NDArray[np.float64]]:
    """Test error of every mode in percent, (trials,)."""
    return {mode: error_of(results, KEY, 0, settings.seeds, f"inference_{mode}_accuracy") for mode in MODES}


def losses(settings: ModesSettings, results: Results) -> dict[str, NDArray[np.float64]]:
    """Test loss of every mode, (trials,)."""
    return {mode: reading(results, KEY, f"inference_{mode}_loss", 0, settings.seeds) for mode in MODES}


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def verdict(settings: ModesSettings, results: Results) -> Verdict | None:
    """The test error with running, batch and recomputed statistics at the end, compared in pairs."""
    if not results.finished(KEY):
        return None
    found = errors(settings, results)
    batch_costs, running_costs = gain(found["batch"], found["recomputed"]), gain(found["running"], found["recomputed"])
    parts = ", ".join(f"{words(found[mode])} with {label}" for mode, label in MODES.items())
    sentence = (
        f"After {settings.steps} steps the test error is {parts}. Pair by pair, batch statistics cost {batch_costs} and running "
        f"ones {running_costs} over recomputed ones."
    )
    numbers = {f"error_{mode}": float(np.median(values)) for mode, values in found.items()}
    for name, cost in (("batch", batch_costs), ("running", running_costs)):
        numbers |= {f"cost_{name}": cost.median, f"cost_{name}_low": cost.low, f"cost_{name}_high": cost.high}
    return Verdict(_answer(found), sentence, numbers)


def _answer(found: dict[str, NDArray[np.float64]]) -> str | None:
    """The mode that is clearly worse than both others; 'same' where no two of them differ clearly."""
    signs = {mode: [gain(found[mode], found[other]).sign for other in MODES if other != mode] for mode in MODES}
    worse = [mode for mode, against in signs.items() if against == [1, 1]]
    if worse:
        return worse[0]
    return "same" if all(np.isfinite(values).all() for values in found.values()) and not any(map(any, signs.values())) else None


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
    references=(IOFFE, WU_JOHNSON),
    caveat=("modes", "large"),
)
