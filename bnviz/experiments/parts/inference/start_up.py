"""Running statistics start at 0 and 1 and forget it as (1 - m)^t; a run shorter than that is tested with the wrong ones."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bnviz.charts.builders import add_theory_line, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.closed_forms.batch_noise import running_start_error
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import error_of, words
from bnviz.experiments.kit.lists import ascending
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.inference.sources import IOFFE, TORCH, WU_JOHNSON

PROBE, TRAIN, TRIALS = "layer", "nets", 6
UPDATES, POINTS = 200, 41
MOMENTA = (0.5, 0.1, 0.01)  # of the single layer
MODES = {"running": "running statistics", "batch": "batch statistics", "recomputed": "recomputed statistics"}
BROKEN = 1.5  # times the error with recomputed statistics: in every trial above it, broken; in no trial, held
DEFAULT_SWEEP = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


class StartUpSettings(Settings):
    """The nets that are trained, one for every momentum."""

    momenta: tuple[Annotated[Float, Field(ge=0.0001, le=1)], ...] = Field(
        default=DEFAULT_SWEEP, title="Running momenta", description="One net each, 0.0001 to 1.", min_length=2, max_length=6
    )
    steps: Int = Field(default=100, ge=5, le=2000, title="Steps", description="Updates with batches of 64.")
    lr: Float = Field(default=0.1, ge=0.001, le=2, title="Learning rate", description="Of plain SGD.")
    depth: Int = Field(default=4, ge=1, le=12, title="Hidden layers", description="Of 32 ReLU units each, with batch norm.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each momentum.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")

    @field_validator("momenta")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return ascending(value)


def run_config(settings: StartUpSettings) -> RunConfig:
    """One arm a momentum: the same net, because running statistics take no part in training."""
    arms = tuple(
        ArmConfig(name=f"momentum {plain(momentum)}", norm="batch", depth=settings.depth, lr=settings.lr, norm_momentum=momentum)
        for momentum in settings.momenta
    )
    every = max(settings.steps // 15, 1)
    return RunConfig(arms=arms, trials=settings.seeds, steps=settings.steps, measure_every=every, seed=settings.seed)


def stages(settings: StartUpSettings) -> tuple[Stage, ...]:
    """A layer that is given batches of known statistics, then nets that train."""
    options = {"momenta": MOMENTA, "updates": UPDATES, "trials": TRIALS, "units": 256, "batch_size": 64, "seed": settings.seed}
    return (
        Stage(PROBE, "one layer, known statistics", probe="running_start", options=options, seconds=1.0),
        Stage(TRAIN, "nets", run_config(settings), ("inference_modes",)),
    )


def shown_updates() -> NDArray[np.int64]:
    """The updates at which the charts have a point."""
    return np.rint(np.linspace(0, UPDATES, POINTS)).astype(np.int64)


def charts(settings: StartUpSettings) -> tuple[Chart, ...]:
    """What is left of the start values of mean and variance, and the error of nets tested with either statistics."""
    error = sweep_chart(
        "error",
        f"Error after {settings.steps} steps",
        "Lower is better. The nets are the same at every momentum; only the statistics they are tested with differ.",
        "running momentum m",
        "test error (%)",
        settings.momenta,
        plain_styles(tuple(MODES.values())),
        x_log=True,
        y_range=(0.0, 102.0),
    )
    return (
        Chart(_left_chart("mean"), lambda results: {"": _left(results, "mean_error")}),
        Chart(_left_chart("variance"), lambda results: {"": _left(results, "var_error")}),
        Chart(error, lambda results: {"": [sweep_series(_errors(settings, results, mode)) for mode in MODES]}),
    )


def _left_chart(what: str) -> ChartSpec:
    updates = shown_updates()
    chart = sweep_chart(
        what,
        f"What is left: {what}",
        "1: still the start value. 0: arrived. Measured on one layer; the grey lines are the closed form.",
        "batches seen t",
        "share left",
        [float(update) for update in updates],
        plain_styles([f"m = {momentum}" for momentum in MOMENTA]),
        y_range=(-0.1, 1.05),
        markers=False,
    )
    for momentum in MOMENTA:
        add_theory_line(chart, updates, [running_start_error(momentum, int(t)) for t in updates], f"(1 - {momentum})^t")
    return chart


def _left(results: Results, name: str) -> list[Series]:
    value = results.value(PROBE, name)
    shape = (len(MOMENTA), POINTS, TRIALS)
    return [sweep_series(row) for row in (np.full(shape, np.nan) if value is None else value[:, shown_updates()])]


def _errors(settings: StartUpSettings, results: Results, mode: str) -> NDArray[np.float64]:
    """Test error in percent with these statistics, (momenta, trials)."""
    measure, arms = f"inference_{mode}_accuracy", range(len(settings.momenta))
    return np.array([error_of(results, TRAIN, arm, settings.seeds, measure) for arm in arms])


def verdict(settings: StartUpSettings, results: Results) -> Verdict | None:
    """Where the running statistics are after t batches, beside the closed form; which statistics the smallest m breaks."""
    if not results.finished(PROBE):
        return None
    middle, at = MOMENTA.index(0.1), 20
    left = results.value(PROBE, "mean_error")
    assert left is not None
    expected = running_start_error(0.1, at)
    sentence = (
        f"After {at} batches at m = 0.1 the running mean has {plain(spread_of(left[middle, at]).median)} of its start left "
        f"(theory {plain(expected)})."
    )
    numbers = {"left": float(left[middle, at].mean()), "left_theory": expected}
    if not results.finished(TRAIN):
        return Verdict(None, sentence, numbers)
    found = {mode: _errors(settings, results, mode)[0] for mode in MODES}
    smallest = settings.momenta[0]
    still_left = running_start_error(smallest, settings.steps)
    parts = ", ".join(f"{words(found[mode])} with {label}" for mode, label in MODES.items())
    sentence += (
        f" After {settings.steps} training steps at m = {plain(smallest)}, where {plain(still_left)} is left, the test error is "
        f"{parts}."
    )
    numbers |= {f"error_{mode}": float(np.median(values)) for mode, values in found.items()}
    numbers |= _ratios(found)
    return Verdict(_answer(numbers), sentence, numbers)


def _ratios(found: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Error over that with recomputed statistics: least and most over the trials; nothing where a net diverged."""
    if not all(np.isfinite(values).all() for values in found.values()):
        return {}
    base = np.maximum(found["recomputed"], 0.1)
    ratios = {mode: found[mode] / base for mode in ("running", "batch")}
    low = {f"{mode}_over_recomputed_low": float(values.min()) for mode, values in ratios.items()}
    return low | {f"{mode}_over_recomputed_high": float(values.max()) for mode, values in ratios.items()}


def _answer(numbers: dict[str, float]) -> str | None:
    if "running_over_recomputed_low" not in numbers:
        return None
    running, batch = (
        (numbers[f"{mode}_over_recomputed_low"], numbers[f"{mode}_over_recomputed_high"]) for mode in ("running", "batch")
    )
    if running[1] < BROKEN:
        return "nothing"
    if running[0] > BROKEN and batch[1] < running[0]:
        return "testing"
    return "both" if min(running[0], batch[0]) > BROKEN else None


def judge_momentum(verdict: Verdict) -> Finding:
    """Supported when the running statistics alone break the test error."""
    parts = (f"{plain(verdict.numbers[f'error_{mode}'])} % with {label}" for mode, label in MODES.items())
    measured = f"test error {', '.join(parts)}"
    judgements = {"testing": "supported", "nothing": "not supported in this setting"}
    return Finding(judgements.get(verdict.answer or "", "mixed"), measured)  # pyright: ignore[reportArgumentType]


PART = Part(
    id="start_up",
    title="Starting up",
    question="The running statistics take in only a thousandth of every batch, and training ends after 100 steps: what suffers?",
    choices=(
        Choice("nothing", "Nothing"),
        Choice("testing", "Only testing with running statistics"),
        Choice("both", "The net itself: any test goes wrong"),
    ),
    settings=StartUpSettings,
    presets=(
        Preset(
            "short",
            "100 steps",
            "One layer is given batches of known mean and variance; then nets train for 100 steps. Watch the errors' left end.",
            StartUpSettings(),
        ),
        Preset(
            "long",
            "Long enough",
            "The usual momenta and 400 steps, so that nothing of the start is left. Watch whether the lines still part.",
            StartUpSettings(momenta=(0.03, 0.1, 0.3), steps=400),
        ),
        Preset(
            "very_short",
            "20 steps",
            "A few steps: not even a tenth of every batch is enough. Watch the right end of the error lines.",
            StartUpSettings(steps=20),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(TORCH, IOFFE, WU_JOHNSON),
    caveat=("start_up", "long"),
    claims=(
        Claim(
            "running_statistics",
            "A net with batch norm can train well and yet fail when tested, because its running statistics lag behind.",
            WU_JOHNSON,
            "short",
            judge_momentum,
        ),
    ),
)
