"""Which learning rates work without and with batch norm: a sweep over decades, all rates trained at once."""

import numpy as np
from pydantic import Field

from bnviz.config.models import ActivationName, ArmConfig, Float, Int, PerTrial, RunConfig
from bnviz.experiments.kit.base import Choice, Claim, Finding, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, UsableRange, decades, highest_ratio, plain, spread_of, stacked
from bnviz.experiments.kit.twin_sweep import KEEP, STAGE, TwinSweep, words

SMALL_RATE = 3e-3  # the rate nearest to this is where the arms are compared at small steps
MUCH, MORE = 10.0, 1.5

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")
BJORCK = Reference("Bjorck et al. 2018, Understanding Batch Normalization", "https://arxiv.org/abs/1806.02375")


class SweepSettings(Settings):
    """Two networks, and the learning rates at which they are trained."""

    depth: Int = Field(default=6, ge=1, le=30, title="Hidden layers", description="Depth of both nets.")
    width: Int = Field(default=32, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    activation: ActivationName = Field(default="relu", title="Activation", description="Of the hidden layers.")
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    lowest: Float = Field(default=1e-3, ge=1e-5, le=5e-3, title="Lowest rate", description="Learning rate of the first column.")
    highest: Float = Field(default=32.8, ge=0.01, le=100, title="Highest rate", description="Learning rate of the last column.")
    rates: Int = Field(default=16, ge=4, le=24, title="Rates", description="Columns, evenly spaced in the logarithm.")
    seeds: Int = Field(default=3, ge=1, le=5, title="Seeds", description="Pairs of twins at every rate.")
    steps: Int = Field(default=300, ge=20, le=1500, title="Steps", description="Updates of plain SGD.")

    @property
    def sweep(self) -> TwinSweep:
        """The sweep that these settings describe."""
        return TwinSweep(decades(self.lowest, self.highest, self.rates), self.seeds, self.steps, "learning rate")


def stages(settings: SweepSettings) -> tuple[Stage, ...]:
    """Both arms at all rates and seeds, as one stack each."""
    sweep = settings.sweep
    rates, seeds = stacked(sweep.values, sweep.seeds)
    arms = tuple(
        ArmConfig(
            norm=norm, depth=settings.depth, width=settings.width, activation=settings.activation, per_trial=PerTrial(lr=rates)
        )
        for norm in ("none", "batch")
    )
    run = RunConfig(
        arms=arms,
        trials=len(rates),
        trial_seeds=seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=sweep.every,
    )
    return (Stage(STAGE, "all rates", run, KEEP),)


def verdict(settings: SweepSettings, results: Results) -> Verdict | None:
    """Compare the highest rates at which each arm learned, seed by seed, and the losses at a small rate."""
    if results.last(STAGE) is None:
        return None
    sweep = settings.sweep
    none, batch = sweep.usable(results)
    ratio = highest_ratio(batch, none)
    small, at_small = _at_small_rate(sweep, results)
    numbers = {
        "ratio": ratio.median,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "seeds": float(ratio.count),
        "highest_none": spread_of(none.highest).median,
        "highest_batch": spread_of(batch.highest).median,
        "lowest_none": spread_of(none.lowest).median,
        "lowest_batch": spread_of(batch.lowest).median,
        **small,
    }
    return Verdict(_answer(ratio), words([_highest(sweep, none, batch, ratio), at_small]), numbers)


def _answer(ratio: Spread) -> str | None:
    """By the median, when the seeds agree on the direction."""
    if not ratio.count or (ratio.median >= MORE and ratio.low <= 1):
        return None
    return "much" if ratio.median >= MUCH else "more" if ratio.median >= MORE else "same"


def _highest(sweep: TwinSweep, none: UsableRange, batch: UsableRange, ratio: Spread) -> str:
    """The highest usable rates and their ratio."""
    if not ratio.count:
        learned = [f"{name} {_edge(arm)}" for name, arm in (("without a norm", none), ("with batch norm", batch))]
        return f"In {sweep.steps} steps no seed learned both ways, so there is no ratio: {' and '.join(learned)}."
    grid = sweep.values[1] / sweep.values[0]
    bound = "" if batch.ends_inside else " or more, as the sweep ends there"
    return (
        f"Batch norm still learns (final loss below {plain(sweep.learned_loss)}, half of guessing) at a rate of "
        f"{spread_of(batch.highest)}{bound}, the net without at {spread_of(none.highest)}: "
        f"{plain(ratio.median)} times higher ({plain(ratio.low)} to {plain(ratio.high)} over {ratio.count} seeds; "
        f"neighbouring rates differ by a factor of {plain(grid)})."
    )


def _edge(arm: UsableRange) -> str:
    """'up to 0.1 (0.1 to 0.2, over 3 seeds)' or 'at no rate'."""
    highest = spread_of(arm.highest)
    return f"up to a rate of {highest}" if highest.count else "at no rate"


def _at_small_rate(sweep: TwinSweep, results: Results) -> tuple[dict[str, float], str]:
    """Numbers and a sentence on the final losses at the rate nearest to `SMALL_RATE`."""
    index = int(np.argmin(np.abs(np.log(np.array(sweep.values) / SMALL_RATE))))
    none, batch = (loss[index] for loss in sweep.losses(results))
    if not (np.isfinite(none).all() and np.isfinite(batch).all()):
        return {}, ""
    above = int((batch > none).sum())
    numbers = {"small_rate": sweep.values[index], "small_none": float(np.median(none)), "small_batch": float(np.median(batch))}
    sentence = (
        f"At the small rate {plain(sweep.values[index])} the loss of batch norm ({plain(numbers['small_batch'])}, against "
        f"{plain(numbers['small_none'])}) is the higher one for {above} of {len(none)} seeds."
    )
    return numbers | {"small_slower": above / len(none)}, sentence


def judge(found: Verdict) -> Finding:
    """Supported when every seed bears a rate that is higher by more than the grid's resolution."""
    numbers = found.numbers
    measured = (
        f"highest usable rate {plain(numbers['ratio'])} times higher ({plain(numbers['ratio_low'])} to "
        f"{plain(numbers['ratio_high'])} over {numbers['seeds']:.0f} seeds)"
    )
    judgement = (
        "supported" if numbers["ratio_low"] >= MORE else "mixed" if numbers["ratio"] > 1 else "not supported in this setting"
    )
    return Finding(judgement, measured)


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
            "Sixteen rates, each twice the one before, with three seeds: 96 networks at once. Watch where the crosses begin.",
            SweepSettings(),
        ),
        Preset(
            "deep",
            "Twenty layers",
            "The same in twenty layers, where the net without a norm is harder to train. Watch where each line turns up.",
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
    charts=lambda settings: settings.sweep.charts(),
    verdict=verdict,
    references=(IOFFE, BJORCK),
    caveat=("sweep", "small"),
    claims=(Claim("higher_rates", "Batch norm allows much higher learning rates.", IOFFE, "deep", judge),),
)
