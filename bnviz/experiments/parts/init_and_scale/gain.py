"""Initial weights that are far too small or too large: a sweep of the gain, all gains trained at once."""

import numpy as np
from pydantic import Field

from bnviz.config.models import ActivationName, ArmConfig, Float, Int, PerTrial, RunConfig
from bnviz.experiments.kit.base import Choice, Claim, Finding, Judgement, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import UsableRange, decades, plain, spread_of, stacked
from bnviz.experiments.kit.twin_sweep import KEEP, STAGE, TwinSweep

WIDER = 10.0  # a usable range this many times as wide is far wider
WIDE_ENOUGH = 1000.0  # a sweep that spans less cannot answer the question

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization, section 3.3", "https://arxiv.org/abs/1502.03167")
HE = Reference("He et al. 2015, Delving Deep into Rectifiers", "https://arxiv.org/abs/1502.01852")
LAARHOVEN = Reference(
    "van Laarhoven 2017, L2 Regularization versus Batch and Weight Normalization", "https://arxiv.org/abs/1706.05350"
)


class GainSettings(Settings):
    """Two networks, and the factors on their initial weights."""

    depth: Int = Field(default=6, ge=1, le=20, title="Hidden layers", description="Depth of both nets.")
    width: Int = Field(default=32, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    activation: ActivationName = Field(default="relu", title="Activation", description="Of the hidden layers.")
    lr: Float = Field(default=0.1, ge=1e-4, le=10, title="Learning rate", description="The same at every gain.")
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    lowest: Float = Field(default=1e-3, ge=1e-4, le=1, title="Lowest gain", description="Factor on He's weights, all layers.")
    highest: Float = Field(default=1e3, ge=3, le=1e4, title="Highest gain", description="Factor on He's weights, all layers.")
    gains: Int = Field(default=13, ge=4, le=24, title="Gains", description="Columns, evenly spaced in the logarithm.")
    seeds: Int = Field(default=3, ge=1, le=5, title="Seeds", description="Pairs of twins at every gain.")
    steps: Int = Field(default=400, ge=20, le=2000, title="Steps", description="Updates of plain SGD.")

    @property
    def sweep(self) -> TwinSweep:
        """The sweep that these settings describe."""
        return TwinSweep(decades(self.lowest, self.highest, self.gains), self.seeds, self.steps, "initial gain")


def stages(settings: GainSettings) -> tuple[Stage, ...]:
    """Both arms at all gains and seeds, as one stack each."""
    sweep = settings.sweep
    gains, seeds = stacked(sweep.values, sweep.seeds)
    common = settings.model_dump(include={"depth", "width", "activation", "lr"})
    arms = tuple(ArmConfig(norm=norm, per_trial=PerTrial(init_gain=gains), **common) for norm in ("none", "batch"))
    run = RunConfig(
        arms=arms,
        trials=len(gains),
        trial_seeds=seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=sweep.every,
    )
    return (Stage(STAGE, "all gains", run, KEEP),)


def verdict(settings: GainSettings, results: Results) -> Verdict | None:
    """Compare the ranges of gains at which each arm learned."""
    if results.last(STAGE) is None:
        return None
    sweep = settings.sweep
    none, batch = sweep.usable(results)
    wider = spread_of(batch.span / none.span)
    numbers = {
        "span_none": spread_of(none.span).median,
        "span_batch": spread_of(batch.span).median,
        "wider": wider.median,
        "wider_low": wider.low,
        "share_none": float(none.share.mean()),
        "share_batch": float(batch.share.mean()),
        "lowest_batch": spread_of(batch.lowest).median,
        "highest_batch": spread_of(batch.highest).median,
    }
    sentence = f"{_range('Without a norm', none)} {_range('With batch norm', batch)} {_limit(sweep, batch)}".strip()
    narrow = sweep.values[-1] < WIDE_ENOUGH * sweep.values[0]
    sentence += f" Learned: final loss below {plain(sweep.learned_loss)}."
    sentence += " These gains span too little to answer the question." if narrow else ""
    return Verdict(None if narrow else _answer(none, batch), sentence, numbers)


def _answer(none: UsableRange, batch: UsableRange) -> str | None:
    if batch.usable.all() and not none.usable.all():
        return "any"
    if not batch.usable.any() and not none.usable.any():
        return None
    shares = spread_of(batch.share - none.share)  # where an arm learned at no gain its range has no width, but a share
    wider = spread_of(batch.span / none.span)
    if shares.low > 0 and (wider.count == 0 or wider.low >= WIDER):
        return "wider"
    return "same" if shares.high <= 0 or wider.high < WIDER else None


def _range(who: str, arm: UsableRange) -> str:
    """'With batch norm the nets learned at gains from 0.001 to 10 (4 decades, 3 of 3 seeds).'."""
    learned, seeds = int(arm.usable.any(axis=0).sum()), arm.usable.shape[1]
    if not learned:
        return f"{who} no net learned at any gain."
    low, high = spread_of(arm.lowest), spread_of(arm.highest)
    where = (
        f"at a gain of {plain(low.low)} only"
        if low.low == high.high
        else f"at gains from {plain(low.median)} to {plain(high.median)}"
    )
    return f"{who} nets learned {where} ({learned} of {seeds} seeds, {100 * arm.share.mean():.0f} % of the gains)."


def _limit(sweep: TwinSweep, batch: UsableRange) -> str:
    """Where batch norm does not help."""
    above = [value for value, fine in zip(sweep.values, batch.usable, strict=True) if not fine.any()]
    if not above or not batch.usable.any() or above[-1] < float(np.nanmax(batch.highest)):
        return ""
    first = min(value for value in above if value > float(np.nanmax(batch.highest)))
    return f"From a gain of {plain(first)} on it did not learn in {sweep.steps} steps either."


def judge(found: Verdict) -> Finding:
    """Supported when batch norm learns at every gain of six decades, mixed when over a far wider range only."""
    numbers = found.numbers
    batch, none = (f"{100 * numbers[name]:.0f} %" for name in ("share_batch", "share_none"))
    measured = f"learned at {batch} of the gains with batch norm, at {none} without"
    judgements: dict[str | None, Judgement] = {"any": "supported", "wider": "mixed"}
    return Finding(judgements.get(found.answer, "not supported in this setting"), measured)


PART = Part(
    id="gain",
    title="Initial gain",
    question="The initial weights are up to a thousand times too small or too large: does a net with batch norm still learn?",
    choices=(
        Choice("any", "Yes, at any gain"),
        Choice("wider", "Over a far wider range, but not at any gain"),
        Choice("same", "No better than without"),
    ),
    settings=GainSettings,
    presets=(
        Preset(
            "six",
            "Six decades of gains",
            "Thirteen gains from 0.001 to 1000, three seeds each. Watch where each line leaves the level of guessing.",
            GainSettings(),
        ),
        Preset(
            "fine",
            "Near the right gain",
            "Gains from 0.3 to 3 in small steps. Watch how wide the valley of the net without a norm is.",
            GainSettings(lowest=0.3, highest=3.0, gains=13),
        ),
        Preset(
            "large",
            "Much too large",
            "Gains from 1 to 1000. Watch the learning slow down although the norm hides the gain from every layer above.",
            GainSettings(lowest=1.0, highest=1000.0, gains=10),
        ),
    ),
    stages=stages,
    charts=lambda settings: settings.sweep.charts(),
    verdict=verdict,
    references=(IOFFE, HE, LAARHOVEN),
    caveat=("gain", "large"),
    claims=(Claim("insensitive_to_init", "Batch norm makes training insensitive to initialization.", IOFFE, "six", judge),),
)
