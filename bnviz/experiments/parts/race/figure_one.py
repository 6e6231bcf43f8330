"""Figure 1 of Ioffe & Szegedy 2015: accuracy, and the percentiles of the last hidden sigmoid's input.

Two numbers a trial, from the percentiles p15, p50 and p85 of that input over the probe batch:

    travel    greatest |p50(step) - p50(0)| so far, in units of (p85(0) - p15(0)) / 2, the half-spread at the start
    widening  (p85 - p15) now over that at the start
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import curve_chart, curve_point
from bnviz.charts.numbers import shorts
from bnviz.charts.theme import arm_styles
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.order_statistics import median_interval
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.race.classic import IOFFE
from bnviz.records.records import PERCENTILES

KEY = "figure1"
LOW, MIDDLE, HIGH = (PERCENTILES.index(q) for q in (15, 50, 85))
NEARLY_EVEN = (2 / 3, 3 / 2)  # a ratio of travels whose whole interval lies in here is no difference worth the name
STILL = 0.25  # half-spreads: whose median moves by less holds still
FEWEST = 3  # trials that an answer takes
FloatArray = NDArray[np.float64]


class FigureOneSettings(Settings):
    """The nets of the paper's figure, with digits of 8 x 8 pixels in place of MNIST."""

    depth: Int = Field(default=3, ge=1, le=10, title="Hidden layers", description="Sigmoid layers of both nets.")
    width: Int = Field(default=100, ge=10, le=200, title="Width", description="Units of a hidden layer.")
    init_std: Float = Field(
        default=0.09, ge=0.001, le=1, title="Initial weights", description="Standard deviation of the Gaussian initial weights."
    )
    lr: Float = Field(default=0.5, ge=1e-3, le=10, title="Learning rate", description="Of plain SGD, the same for both nets.")
    batch_size: Int = Field(default=60, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=400, ge=10, le=3000, title="Steps", description="Updates.")
    seeds: Int = Field(default=6, ge=1, le=12, title="Seeds", description="Pairs of twins.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")


def run_config(settings: FigureOneSettings) -> RunConfig:
    """The run: a plain net and its twin, all trials' distributions measured."""
    arms = tuple(
        ArmConfig(
            norm=norm,
            activation="sigmoid",
            init="normal",
            init_gain=settings.init_std,
            **settings.model_dump(include={"depth", "width", "lr"}),
        )
        for norm in ("none", "batch")
    )
    return RunConfig(
        arms=arms,
        trials=settings.seeds,
        extras=("all_trial_distributions",),
        **settings.model_dump(include={"batch_size", "steps", "seed"}),
    )


def stages(settings: FigureOneSettings) -> tuple[Stage, ...]:
    """One run."""
    return (Stage(KEY, "figure 1", run=run_config(settings), keep=("test_accuracy", "percentiles")),)


def percentiles(results: Results, arm: int) -> FloatArray:
    """Of the last hidden layer's pre-activation, shape (frames, trials, percentiles)."""
    return np.array([measured.arms[arm].percentiles["pre_activation"][:, -1] for measured in results.history(KEY)], np.float64)


def travel(values: FloatArray) -> FloatArray:
    """Greatest shift of the median so far, in half-spreads at the start, shape (frames, trials)."""
    start = (values[0, :, HIGH] - values[0, :, LOW]) / 2
    return np.maximum.accumulate(np.abs(values[..., MIDDLE] - values[0, :, MIDDLE]) / start, axis=0)


def widening(values: FloatArray) -> FloatArray:
    """Spread from the 15th to the 85th percentile over that at the start, shape (frames, trials)."""
    spread = values[..., HIGH] - values[..., LOW]
    return spread / spread[0]


def charts(settings: FigureOneSettings) -> tuple[Chart, ...]:
    """The figure itself (a, then b and c in one), and its two numbers over all trials."""
    styles, steps = arm_styles(run_config(settings)), settings.steps
    accuracy = curve_chart(
        "accuracy", "Test accuracy", "Figure 1a. Higher is better.", "test accuracy (%)", styles, steps, y_range=(0.0, 102.0)
    )
    bands = curve_chart(
        "input",
        "Last sigmoid's input",
        "Figures 1b and 1c. Line: median; band: 15th to 85th percentile, first pair. Watch which band wanders and widens.",
        "pre-activation, last hidden layer",
        styles,
        steps,
    )
    moved = curve_chart(
        "travel",
        "How far it moved",
        "Greatest shift of the median so far. At 1 it has moved by half the width of its first band.",
        "shift of the median (initial half-spreads)",
        styles,
        steps,
    )
    widened = curve_chart(
        "widening",
        "How wide it became",
        "Width of the band over its width at the start. Level at 1: the same spread throughout.",
        "spread (multiples of the first)",
        styles,
        steps,
        y_log=True,
    )
    return (
        Chart(bands, lambda results: {"": _bands(results)}),
        Chart(accuracy, lambda results: {"": _accuracies(results)}),
        Chart(moved, lambda results: {"": [curve_point(travel(percentiles(results, arm))[-1]) for arm in (0, 1)]}),
        Chart(widened, lambda results: {"": [curve_point(widening(percentiles(results, arm))[-1]) for arm in (0, 1)]}),
    )


def _bands(results: Results) -> list[Series]:
    """[15th, 50th, 85th percentile] of the first pair."""
    assert results.now is not None
    return [shorts(arm.percentiles["pre_activation"][0, -1][[LOW, MIDDLE, HIGH]]) for arm in results.now.arms]


def _accuracies(results: Results) -> list[Series]:
    assert results.now is not None
    return [curve_point(100 * arm.curves["test_accuracy"]) for arm in results.now.arms]


def verdict(settings: FigureOneSettings, results: Results) -> Verdict | None:
    """Whose last input travelled farther, paired by trial, and how much each widened."""
    if len(results.history(KEY)) < 2:
        return None
    values = [percentiles(results, arm) for arm in (0, 1)]
    travels, widths = (np.array([of(each)[-1] for each in values]) for of in (travel, widening))
    known = np.isfinite(travels).all(axis=0)
    if not known.any():
        return Verdict(None, "Every pair of twins has lost a net to divergence: nothing to compare.")
    plain_travel, batch_travel = spread_of(travels[0, known]), spread_of(travels[1, known])
    wide = [plain(spread_of(row[known]).median) for row in widths]
    sentence = (
        f"By step {results.steps(KEY)[-1]} the median of the last sigmoid's input had moved by {plain_travel} initial "
        f"half-spreads without batch norm, by {batch_travel} with it; its spread was then {wide[0]} and {wide[1]} times that at "
        "the start."
    )
    ratios = travels[0, known] / np.maximum(travels[1, known], 1e-9)
    low, high, _ = median_interval(ratios)
    numbers = {
        "travel_plain": plain_travel.median,
        "travel_batch": batch_travel.median,
        "widening_plain": spread_of(widths[0, known]).median,
        "widening_batch": spread_of(widths[1, known]).median,
        "ratio_low": low,
        "ratio_high": high,
        **dict(zip(("accuracy_plain", "accuracy_batch"), _medians(results), strict=True)),
    }
    if max(plain_travel.high, batch_travel.high) < STILL:
        return Verdict("same", f"{sentence} Both held still.", numbers)
    return Verdict(_answer(low, high, int(known.sum())), sentence, numbers)


def _medians(results: Results) -> list[float]:
    return [float(np.nanmedian(results.curve(KEY, "test_accuracy", arm)[-1])) for arm in (0, 1)]


def _answer(low: float, high: float, trials: int) -> str | None:
    """The choice that the interval of the ratio (plain over batch norm) bears out; None when it is too wide or too thin."""
    if trials < FEWEST:
        return None
    if NEARLY_EVEN[0] <= low and high <= NEARLY_EVEN[1]:
        return "same"
    return "plain" if low > 1 else "batch" if high < 1 else None


def judge_steady(verdict: Verdict) -> Finding:
    """Supported when batch norm's input travels less in every pair's interval and widens less; mixed when only one holds."""
    numbers = verdict.numbers
    steadier, narrower = numbers["ratio_low"] > 1, numbers["widening_batch"] < numbers["widening_plain"]
    travels, widths = ([plain(numbers[f"{what}_{net}"]) for net in ("plain", "batch")] for what in ("travel", "widening"))
    measured = (
        f"median moved by {travels[0]} half-spreads without and {travels[1]} with batch norm; "
        f"spread {widths[0]} and {widths[1]} times that at the start"
    )
    judgement = "supported" if steadier and narrower else "mixed" if steadier or narrower else "not supported in this setting"
    return Finding(judgement, measured)


PART = Part(
    id="figure1",
    title="Figure 1 of 2015",
    question="While three sigmoid layers learn, in which net does the input of the last one wander farther?",
    choices=(
        Choice("plain", "In the net without batch norm"),
        Choice("batch", "In the net with batch norm"),
        Choice("same", "About equally far in both, or hardly in either"),
    ),
    settings=FigureOneSettings,
    presets=(
        Preset(
            "sigmoid_2015",
            "As in the paper",
            "Three sigmoid layers of 100 units, Gaussian initial weights, batches of 60. Compare the two bands.",
            FigureOneSettings(),
        ),
        Preset(
            "smaller_weights",
            "Smaller weights",
            "A third of the initial weights and four times the learning rate. Watch the scale of the first chart.",
            FigureOneSettings(init_std=0.03, lr=2.0, steps=600),
        ),
        Preset(
            "gentle",
            "Larger weights, small steps",
            "Twice the initial weights and a tenth of the learning rate. Watch how far the plain net's band moves now.",
            FigureOneSettings(init_std=0.2, lr=0.05),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE,),
    caveat=("figure1", "gentle"),
    claims=(
        Claim(
            "steady_inputs",
            "Batch norm keeps the distribution of a layer's inputs steady while the net learns.",
            IOFFE,
            "sigmoid_2015",
            judge_steady,
        ),
    ),
)
