"""Which learning rates work without and with batch norm: a sweep over decades, all rates trained at once."""

import numpy as np
from pydantic import Field

from bnviz.config.models import ActivationName, Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_at_least, median_above, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import BJORCK, IOFFE_2015
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.trials import decades
from bnviz.experiments.kit.twin_sweep import TwinSweep
from bnviz.experiments.kit.twins import BATCH, NONE, arm_of
from bnviz.experiments.kit.usable_range import UsableRange

SMALL_RATE = 3e-3  # the rate nearest to this is where the nets are compared at small steps
MUCH, MORE = 10.0, 1.5


class SweepSettings(Settings):
    """Two networks, and the learning rates at which they are trained."""

    depth: Int = knobs.depth(6, most=30)
    width: Int = knobs.width(32, most=64)
    activation: ActivationName = knobs.activation()
    batch_size: Int = knobs.batch_size(64)
    lowest: Float = Field(default=1e-3, ge=1e-5, le=5e-3, title="Lowest rate", description="Learning rate of the first column.")
    highest: Float = Field(default=32.8, ge=0.01, le=100, title="Highest rate", description="Learning rate of the last column.")
    rates: Int = Field(default=16, ge=4, le=24, title="Rates", description="Columns, evenly spaced in the logarithm.")
    seeds: Int = knobs.seeds(3, most=5, of="Pairs of twins at every rate.")
    steps: Int = knobs.steps(300, most=1500, least=20, of="Updates of plain SGD.")

    @property
    def sweep(self) -> TwinSweep:
        """The sweep that these settings describe."""
        rates, arms = decades(self.lowest, self.highest, self.rates), (arm_of(self, "none"), arm_of(self, "batch"))
        return TwinSweep("lr", "learning rate", rates, self.seeds, arms, self.batch_size, self.steps)


def stages(settings: SweepSettings) -> tuple[Stage, ...]:
    """Both nets at all rates and seeds, as one stack each."""
    return (settings.sweep.stage("all rates"),)


def charts(settings: SweepSettings) -> tuple[Chart, ...]:
    """Loss and its history, steps to learn and test accuracy against the rate."""
    return settings.sweep.charts()


def verdict(settings: SweepSettings, results: Results) -> Verdict | None:
    """Compare the highest rates at which each net learned, seed by seed, and the losses at a small rate."""
    if results.now is None:
        return None
    sweep = settings.sweep
    none, batch = (sweep.usable(results, arm) for arm in (NONE, BATCH))
    ratio = spread_of(batch.highest / none.highest)
    small, at_small = _at_small_rate(sweep, results)
    numbers = {
        "ratio": ratio,
        "highest_none": spread_of(none.highest),
        "highest_batch": spread_of(batch.highest),
        "lowest_none": spread_of(none.lowest),
        "lowest_batch": spread_of(batch.lowest),
        **small,
    }
    if not ratio.count:
        headline = say("In {steps} steps no seed learned with both nets, so there is no ratio.", steps=sweep.steps)
        learned = f"The plain net learned {_edge(none)}, the net with batch norm {_edge(batch)}."
        return Verdict(None, headline, numbers, joined(learned, at_small))
    headline = say(
        "With batch norm the highest rate that still learns is {ratio:median} times the plain net's ({ratio:range}).", ratio=ratio
    )
    return Verdict(_answer(ratio), headline, numbers, joined(_highest(sweep, none, batch), at_small))


def _answer(ratio: Spread) -> str | None:
    """By the median, when the seeds agree on the direction."""
    if ratio.median >= MORE and ratio.low <= 1:
        return None
    return "much" if ratio.median >= MUCH else "more" if ratio.median >= MORE else "same"


def _highest(sweep: TwinSweep, none: UsableRange, batch: UsableRange) -> str:
    """The highest usable rates, what they are read from and how exactly."""
    return say(
        "It is {batch}{bound} against {none}; neighbouring rates differ by a factor of {grid}. "
        "Learned: final loss below {loss}, half of guessing.",
        batch=spread_of(batch.highest),
        bound="" if batch.ends_inside else " or more, as the sweep ends there,",
        none=spread_of(none.highest),
        grid=sweep.values[1] / sweep.values[0],
        loss=sweep.learned_loss,
    )


def _edge(arm: UsableRange) -> str:
    """'up to a rate of 0.1 (0.1 to 0.2 over 3 seeds)' or 'at no rate'."""
    highest = spread_of(arm.highest)
    return f"up to a rate of {highest}" if highest.count else "at no rate"


def _at_small_rate(sweep: TwinSweep, results: Results) -> tuple[dict[str, float | Spread], str]:
    """Numbers and a sentence on the final losses at the rate nearest to `SMALL_RATE`."""
    rate = min(sweep.values, key=lambda value: abs(np.log(value / SMALL_RATE)))
    losses = sweep.losses(results).at(lr=rate)
    none, batch = (losses.at(arm=arm).values for arm in (NONE, BATCH))
    if not np.isfinite(losses.values).all():
        return {}, ""
    above = int((batch > none).sum())
    numbers = {"small_rate": rate, "small_none": spread_of(none), "small_batch": spread_of(batch)}
    sentence = say(
        "At the small rate {small_rate} batch norm's loss is {small_batch} against {small_none} without a norm, "
        f"higher for {above} of {len(none)} seeds.",
        numbers,
    )
    return numbers | {"small_slower": above / len(none)}, sentence


judge = rule(
    "highest usable rate {ratio:median} times the plain net's ({ratio:range})",
    supported=all_at_least("ratio", MORE),
    mixed=median_above("ratio", 1),
)


PART = Part(
    id="sweep",
    title="Usable rates",
    question="How much higher may the learning rate be with batch norm?",
    choices=(
        Choice("same", "No higher, or hardly"),
        Choice("more", "A few times higher"),
        Choice("much", "Ten times higher, or more"),
    ),
    settings=SweepSettings,
    presets=(
        Preset(
            "six",
            "Six layers",
            "Sixteen rates, each 2 times the one before, with three seeds: 96 networks at once. Watch where the crosses begin.",
            SweepSettings(),
        ),
        Preset(
            "deep",
            "Twenty layers",
            "The same in twenty layers, where the plain net is harder to train. Watch where each line turns up.",
            SweepSettings(depth=20, lowest=1e-3, highest=10, rates=13, steps=400),
        ),
        Preset(
            "small",
            "Small rates only",
            "Twenty layers at rates up to 0.01 only. Watch which line is lower.",
            SweepSettings(depth=20, lowest=1e-3, highest=1e-2, rates=5, seeds=5, steps=400),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015, BJORCK),
    caveat=("sweep", "small"),
    claims=(Claim("higher_rates", "Batch norm allows much higher learning rates.", IOFFE_2015, "deep", judge),),
)
