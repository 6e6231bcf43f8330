"""Initial weights that are far too small or too large: a sweep of the gain, all gains trained at once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from bnviz.config.models import ActivationName, Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import HE, IOFFE_2015, LAARHOVEN
from bnviz.experiments.kit.spread import spread_of
from bnviz.experiments.kit.trials import decades
from bnviz.experiments.kit.twin_sweep import TwinSweep
from bnviz.experiments.kit.twins import BATCH, NONE, arm_of
from bnviz.experiments.kit.usable_range import UsableRange

WIDER = 10.0  # a usable range this many times as wide is far wider
WIDE_ENOUGH = 1000.0  # a sweep that spans less cannot answer the question
IOFFE = IOFFE_2015.at("section 3.3")


class GainSettings(Settings):
    """Two networks, and the factors on their initial weights."""

    depth: Int = knobs.depth(6, most=20)
    width: Int = knobs.width(32, most=64)
    activation: ActivationName = knobs.activation()
    lr: Float = knobs.learning_rate(0.1, most=10, least=1e-4, of="The same at every gain.")
    batch_size: Int = knobs.batch_size(64)
    lowest: Float = Field(default=1e-3, ge=1e-4, le=1, title="Lowest gain", description="Factor on He's weights, all layers.")
    highest: Float = Field(default=1e3, ge=3, le=1e4, title="Highest gain", description="Factor on He's weights, all layers.")
    gains: Int = Field(default=13, ge=4, le=24, title="Gains", description="Columns, evenly spaced in the logarithm.")
    seeds: Int = knobs.seeds(3, most=5, of="Pairs of twins at every gain.")
    steps: Int = knobs.steps(400, most=2000, least=20, of="Updates of plain SGD.")

    @property
    def sweep(self) -> TwinSweep:
        """The sweep that these settings describe."""
        gains, arms = decades(self.lowest, self.highest, self.gains), (arm_of(self, "none"), arm_of(self, "batch"))
        return TwinSweep("init_gain", "initial gain", gains, self.seeds, arms, self.batch_size, self.steps)


def stages(settings: GainSettings) -> tuple[Stage, ...]:
    """Both nets at all gains and seeds, as one stack each."""
    return (settings.sweep.stage("all gains"),)


def charts(settings: GainSettings) -> tuple[Chart, ...]:
    """Loss and its history, steps to learn and test accuracy against the gain."""
    return settings.sweep.charts()


def verdict(settings: GainSettings, results: Results) -> Verdict | None:
    """Compare the ranges of gains at which each net learned."""
    if results.now is None:
        return None
    sweep = settings.sweep
    none, batch = (sweep.usable(results, arm) for arm in (NONE, BATCH))
    shares = {"share_none": float(none.share.mean()), "share_batch": float(batch.share.mean())}
    numbers = {
        "span_none": spread_of(none.span),
        "span_batch": spread_of(batch.span),
        "wider": spread_of(batch.span / none.span),
        **shares,
        "lowest_batch": spread_of(batch.lowest),
        "highest_batch": spread_of(batch.highest),
    }
    headline = say(
        "Over all gains and seeds {batch:.0f} % of the nets with batch norm learned and {none:.0f} % of the plain nets.",
        batch=100 * shares["share_batch"],
        none=100 * shares["share_none"],
    )
    narrow = sweep.values[-1] < WIDE_ENOUGH * sweep.values[0]
    details = joined(
        _range("Plain nets", none),
        _range("Nets with batch norm", batch),
        _limit(sweep, batch),
        say("Learned: final loss below {loss}.", loss=sweep.learned_loss),
        "These gains span too little to answer the question." if narrow else "",
    )
    return Verdict(None if narrow else _answer(none, batch), headline, numbers, details)


def _answer(none: UsableRange, batch: UsableRange) -> str | None:
    if batch.usable.all() and not none.usable.all():
        return "any"
    if not batch.usable.any() and not none.usable.any():
        return None
    shares = spread_of(batch.share - none.share)  # where a net learned at no gain its range has no width, but a share
    wider = spread_of(batch.span / none.span)
    if shares.low > 0 and (wider.count == 0 or wider.low >= WIDER):
        return "wider"
    return "same" if shares.high <= 0 or wider.high < WIDER else None


def _range(who: str, arm: UsableRange) -> str:
    """'Plain nets learned at gains from 0.316 to 3.16 (medians over 3 of 3 seeds).'."""
    learned, seeds = int(arm.usable.any(axis=0).sum()), arm.usable.shape[1]
    if not learned:
        return f"{who} learned at no gain."
    low, high = spread_of(arm.lowest), spread_of(arm.highest)
    if low.low == high.high:
        return f"{who} learned at a gain of {low:median} only ({learned} of {seeds} seeds)."
    return f"{who} learned at gains from {low:median} to {high:median} (medians over {learned} of {seeds} seeds)."


def _limit(sweep: TwinSweep, batch: UsableRange) -> str:
    """Where batch norm does not help."""
    above = [value for value in sweep.values if batch.usable.any() and value > np.nanmax(batch.highest)]
    if not above:
        return ""
    return say("From a gain of {first} on none with batch norm learned in {steps} steps.", first=above[0], steps=sweep.steps)


def _measured(numbers: Mapping[str, Any]) -> str:
    batch, none = (100 * numbers[f"share_{arm}"] for arm in (BATCH, NONE))
    return say("learned at {batch:.0f} % of the gains with batch norm, at {none:.0f} % without", batch=batch, none=none)


judge = rule(_measured, supported=answered("any"), mixed=answered("wider"))


PART = Part(
    id="gain",
    title="Initial gain",
    question="The initial weights are up to a thousand times too small or too large: does a net with batch norm still learn?",
    choices=(
        Choice("any", "Yes, at any gain"),
        Choice("wider", "Over a far wider range, but not at any gain"),
        Choice("same", "No better than the plain net"),
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
            "Gains from 0.3 to 3 in small steps. Watch how wide the valley of the plain net is.",
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
    charts=charts,
    verdict=verdict,
    references=(IOFFE, HE, LAARHOVEN),
    caveat=("gain", "large"),
    claims=(Claim("insensitive_to_init", "Batch norm makes training insensitive to initialization.", IOFFE, "six", judge),),
)
