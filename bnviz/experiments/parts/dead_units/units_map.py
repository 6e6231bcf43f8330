"""Which units die while a net trains with a large learning rate."""

import numpy as np

from bnviz.charts.numbers import band
from bnviz.experiments.kit.base import Choice, Claim, Part, Preset, Verdict
from bnviz.experiments.kit.labelled import FloatArray
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_below, answered, median_above, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import DOUGLAS, LU
from bnviz.experiments.kit.spread import spread_of, spread_of_finite
from bnviz.experiments.kit.twins import BATCH, NONE
from bnviz.experiments.parts.dead_units.units_charts import (
    SWEEP_SEEDS,
    UnitsMapSettings,
    charts,
    dead,
    dead_at_birth,
    stages,
    swept,
)

HARDLY, CLEARLY = 5.0, 10.0  # percent of units: below, hardly any died; a difference of more is one that counts
HALF, NEARLY_NONE = 50.0, 2.0  # percent of units: what the claim says of the plain net, and of the net with batch norm


def answer(bare: FloatArray, normed: FloatArray) -> str | None:
    """What pairs of twins say, from the units that died in percent, each of shape (seeds,); not finite where a net diverged."""
    pairs = np.isfinite(bare) & np.isfinite(normed)
    if pairs.sum() < 2:
        return None
    gaps = (bare - normed)[pairs]
    if max(np.median(bare[pairs]), np.median(normed[pairs])) < HARDLY:
        return "neither"
    if abs(np.median(gaps)) <= CLEARLY:
        return "both"
    if gaps.min() > 0:
        return "bare"
    return "batch" if gaps.max() < 0 else None


def verdict(settings: UnitsMapSettings, results: Results) -> Verdict | None:
    """The share of dead units at the map's learning rate, then the rates from which on units die."""
    if not results.finished("map"):
        return None
    found, born = dead(settings, results, "map", diverged=np.inf), dead_at_birth(settings, results)
    numbers = {arm: spread_of_finite(found.at(arm=arm).values, unit="%") for arm in (NONE, BATCH)}
    headline = say(
        "After {steps} steps at learning rate {lr} the share of dead units is {none} without a norm and {batch} with batch norm.",
        {"steps": settings.steps, "lr": settings.lr, **numbers},
    )
    before = say(
        "Before the first step it was {none:median} and {batch:median}.",
        {arm: spread_of(born.at(arm=arm).values, unit="%") for arm in (NONE, BATCH)},
    )
    died = found - born
    rates = _rates(settings, results) if results.finished("sweep") else ""
    return Verdict(answer(died.at(arm=NONE).values, died.at(arm=BATCH).values), headline, numbers, joined(before, rates))


def _rates(settings: UnitsMapSettings, results: Results) -> str:
    """At which rate of the sweep clearly more units are dead than at its lowest."""
    found = swept(settings, results).over("layer", np.mean)
    first: dict[str, str] = {}
    for arm, shares in found.along("arm"):
        seeds = shares.rows("seed", "lr")
        medians = band(np.where(np.isinf(seeds), np.nan, seeds), SWEEP_SEEDS)[1]
        least = medians[int(np.argmin(settings.rates))]
        above = [rate for rate, share in zip(settings.rates, medians, strict=True) if share > least + CLEARLY]
        first[arm] = number(min(above)) if above else "none"
    return say(
        "The first rate of the sweep at which over {points} points more units are dead than at its lowest: {none} without a "
        "norm, {batch} with batch norm.",
        {"points": CLEARLY, **first},
    )


judge_no_dying = rule(
    "dead without a norm {none}, with batch norm {batch}",
    supported=median_above("none", HALF) & all_below("batch", NEARLY_NONE),
    mixed=answered("bare"),
)

PART = Part(
    id="units_map",
    title="Dying while training",
    question="Twins train at the large learning rate 1: whose ReLU units die?",
    choices=(
        Choice("bare", "Those of the net without a norm"),
        Choice("batch", "Those of the net with batch norm"),
        Choice("both", "As many in both"),
        Choice("neither", "Hardly any in either"),
    ),
    settings=UnitsMapSettings,
    presets=(
        Preset(
            "rate_one",
            "Learning rate 1",
            "Six ReLU layers on two circles. Watch the rows of the map turn dark, and whether any turns light again.",
            UnitsMapSettings(),
        ),
        Preset(
            "small_rate",
            "Learning rate 0.1",
            "The same nets with steps ten times smaller. Watch how little changes on either map.",
            UnitsMapSettings(lr=0.1, rates=(0.01, 0.03, 0.1, 0.3)),
        ),
        Preset(
            "momentum",
            "Learning rate 1, momentum 0.9",
            "Momentum lets the steps add up to ten times their length. Watch the map of the net with batch norm.",
            UnitsMapSettings(momentum=0.9, rates=(0.03, 0.1, 0.3, 0.6, 1.0)),
        ),
        Preset(
            "digits",
            "Digits, 8 layers",
            "Images of digits in place of two circles. Watch whether a layer dies as a whole or unit by unit.",
            UnitsMapSettings(dataset="digits", depth=8),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LU, DOUGLAS),
    caveat=("units_map", "momentum"),
    claims=(
        Claim(
            "no_dying_relu",
            "Batch norm keeps ReLU units from dying at large learning rates.",
            DOUGLAS,
            "rate_one",
            judge_no_dying,
        ),
    ),
)
