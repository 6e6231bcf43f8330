"""Figure 1 of Ioffe & Szegedy 2015: accuracy, and the percentiles of the last hidden sigmoid's input.

Two numbers a trial, from the percentiles p15, p50 and p85 of that input over the probe batch:

    travel    greatest |p50(step) - p50(0)| so far, in units of (p85(0) - p15(0)) / 2, the half-spread at the start
    widening  (p85 - p15) now over that at the start
"""

import numpy as np
from pydantic import Field

from bnviz.charts.builders import curve_chart
from bnviz.charts.numbers import shorts
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.order_statistics import median_interval
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import Condition, all_above, rule, when
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import IOFFE_2015
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES
from bnviz.records.records import PERCENTILES

KEY = "figure1"
LOW, MIDDLE, HIGH = (PERCENTILES.index(q) for q in (15, 50, 85))
NEARLY_EVEN = (2 / 3, 3 / 2)  # a ratio of travels whose whole interval lies in here is no difference worth the name
STILL = 0.25  # half-spreads: whose median moves by less holds still
FEWEST = 3  # trials that an answer takes
ACCURACY = Quantity(
    "test_accuracy", "Test accuracy", "Figure 1a. Higher is better.", "test accuracy (%)", range=(0.0, 102.0), factor=100.0
)


class FigureOneSettings(Settings):
    """The nets of the paper's figure, with digits of 8 x 8 pixels in place of MNIST."""

    depth: Int = knobs.depth(3, most=10, of="Sigmoid layers of both nets.")
    width: Int = knobs.width(100, most=200, least=10)
    init_std: Float = Field(
        default=0.09, ge=0.001, le=1, title="Initial weights", description="Standard deviation of the Gaussian initial weights."
    )
    lr: Float = knobs.learning_rate(0.5, most=10)
    batch_size: Int = knobs.batch_size(60, least=2)
    steps: Int = knobs.steps(400, most=3000)
    seeds: Int = knobs.seeds(6, most=12)
    seed: Int = knobs.first_seed()


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


def last_inputs(results: Results) -> Labelled:
    """Percentiles of the last hidden layer's pre-activation: axes step, arm, seed, percentile."""
    found = results.over_steps("pre_activation_percentiles")
    return found.at(layer=found.axes["layer"][-1])


def travel(values: FloatArray) -> FloatArray:
    """Greatest shift of the median so far, in half-spreads at the start: (steps, ..., percentiles) -> (steps, ...)."""
    start = (values[0, ..., HIGH] - values[0, ..., LOW]) / 2
    return np.maximum.accumulate(np.abs(values[..., MIDDLE] - values[0, ..., MIDDLE]) / start, axis=0)


def widening(values: FloatArray) -> FloatArray:
    """Spread from the 15th to the 85th percentile over that at the start: (steps, ..., percentiles) -> (steps, ...)."""
    spread = values[..., HIGH] - values[..., LOW]
    return spread / spread[0]


def _travel(results: Results, stage: str = "") -> Labelled:
    return _so_far(last_inputs(results), travel(last_inputs(results).values))


def _widening(results: Results, stage: str = "") -> Labelled:
    return _so_far(last_inputs(results), widening(last_inputs(results).values))


def _so_far(inputs: Labelled, values: FloatArray) -> Labelled:
    """The newest of values by step, arm and seed."""
    return Labelled(values[-1], {axis: inputs.axes[axis] for axis in ("arm", "seed")})


TRAVEL = Quantity(
    "pre_activation",
    "How far it moved",
    "Greatest shift of the median so far. At 1 it has moved by half the width of its first band.",
    "shift of the median (initial half-spreads)",
    take=_travel,
)
WIDENING = Quantity(
    "pre_activation",
    "How wide it became",
    "Width of the band over its width at the start. Level at 1: the same spread throughout.",
    "spread (multiples of the first)",
    log=True,
    take=_widening,
)


def charts(settings: FigureOneSettings) -> tuple[Chart, ...]:
    """The figure itself (a, then b and c in one), and its two numbers over all trials."""
    bands = curve_chart(
        "input",
        "Last sigmoid's input",
        "Figures 1b and 1c. Line: median; band: 15th to 85th percentile, first pair. Watch which band wanders and widens.",
        "pre-activation, last hidden layer",
        tuple(STYLES.values()),
        settings.steps,
    )
    return (
        Chart(bands, lambda results: {"": _bands(results)}),
        ACCURACY.by_step("accuracy", STYLES, settings.steps),
        TRAVEL.by_step("travel", STYLES, settings.steps),
        WIDENING.by_step("widening", STYLES, settings.steps),
    )


def _bands(results: Results) -> list[Series]:
    """[15th, 50th, 85th percentile] of the first pair."""
    inputs = last_inputs(results).at(step=results.steps(KEY)[-1], seed=0)
    return [shorts(inputs.at(arm=arm).values[[LOW, MIDDLE, HIGH]]) for arm in STYLES]


def verdict(settings: FigureOneSettings, results: Results) -> Verdict | None:
    """Whose last input travelled farther, paired by trial, and how much each widened."""
    if len(results.history(KEY)) < 2:
        return None
    travels, widths = TRAVEL.newest(results), WIDENING.newest(results)
    known = np.isfinite(travels.values).all(axis=0)
    if not known.any():
        return Verdict(None, "Every pair of twins has lost a net to divergence: nothing to compare.")
    moved = {arm: spread_of(travels.at(arm=arm).values[known]) for arm in STYLES}
    wide = {arm: spread_of(widths.at(arm=arm).values[known]) for arm in STYLES}
    ratio = _ratio(travels.at(arm=NONE).values[known], travels.at(arm=BATCH).values[known])
    accuracy = {arm: float(np.nanmedian(values.values)) for arm, values in results.newest("test_accuracy").along("arm")}
    numbers = {
        **{f"travel_{arm}": found for arm, found in moved.items()},
        **{f"widening_{arm}": found for arm, found in wide.items()},
        **{f"accuracy_{arm}": found for arm, found in accuracy.items()},
        "ratio": ratio,
    }
    is_still = max(found.high for found in moved.values()) < STILL
    headline = say(
        "By step {step} the median of the last sigmoid's input had moved by {none} initial half-spreads without batch norm, "
        "by {batch} with it.",
        moved | {"step": int(results.steps(KEY)[-1])},
    )
    details = say("Its spread was then {none:median} and {batch:median} times that at the start.", wide)
    answer = "same" if is_still else _answer(ratio)
    return Verdict(answer, headline, numbers, joined(details, "Both held still." if is_still else ""))


def _ratio(plain: FloatArray, batch: FloatArray) -> Spread:
    """The plain net's travel over its twin's, with the interval of its median."""
    ratios = plain / np.maximum(batch, 1e-9)
    low, high, _ = median_interval(ratios)
    return Spread(float(np.median(ratios)), low, high, len(ratios), of="pairs")


def _answer(ratio: Spread) -> str | None:
    """The choice that the interval of the ratio (plain over batch norm) bears out; None when it is too wide or too thin."""
    if ratio.count < FEWEST:
        return None
    if NEARLY_EVEN[0] <= ratio.low and ratio.high <= NEARLY_EVEN[1]:
        return "same"
    return {1: "plain", -1: "batch"}.get(ratio.direction)


STEADIER = all_above("ratio", 1)
NARROWER: Condition = when(lambda numbers: numbers["widening_batch"].median < numbers["widening_none"].median)


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
    references=(IOFFE_2015,),
    caveat=("figure1", "gentle"),
    claims=(
        Claim(
            "steady_inputs",
            "Batch norm keeps the distribution of a layer's inputs steady while the net learns.",
            IOFFE_2015,
            "sigmoid_2015",
            rule(
                "median moved by {travel_none:median} half-spreads without and {travel_batch:median} with batch norm; "
                "spread {widening_none:median} and {widening_batch:median} times that at the start",
                supported=STEADIER & NARROWER,
                mixed=STEADIER | NARROWER,
            ),
        ),
    ),
)
