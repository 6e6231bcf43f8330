"""Which units die while a net trains with a large learning rate."""

import numpy as np

from bnviz.charts.numbers import band
from bnviz.experiments.kit.base import Choice, Claim, Finding, Part, Preset, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.dead_units.common import DOUGLAS, LU, NORMS, FloatArray, percent_words
from bnviz.experiments.parts.dead_units.units_charts import SWEEP_SEEDS, UnitsMapSettings, charts, dead_percent, stages, swept

HARDLY, CLEARLY = 5.0, 10.0  # percent of units: below, hardly any died; a difference of more is one that counts
HALF, NEARLY_NONE = 50.0, 2.0  # percent of units: what the claim says of the plain net, and of the net with batch norm


def answer(bare: FloatArray, normed: FloatArray) -> str | None:
    """What pairs of twins say, from the units that died in percent, each of shape (seeds,); NaN where a net diverged."""
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
    bare, normed = (dead_percent(settings, results, "map", arm) for arm in range(len(NORMS)))
    if bare is None or normed is None or not results.finished("map"):
        return None
    shares = bare.mean(axis=1), normed.mean(axis=1)
    born = [results.curve("map", "dead_relu_count", arm)[0].mean(axis=1) * 100 / settings.width for arm in range(len(NORMS))]
    sentence = (
        f"After {settings.steps} steps at learning rate {plain(settings.lr)}, {percent_words(shares[0])} of the plain net's "
        f"units are dead and {percent_words(shares[1])} with batch norm, over {settings.seeds} seeds; before the first step "
        f"{plain(float(np.median(born[0])))} % and {plain(float(np.median(born[1])))} %."
    )
    diverged = int(np.isnan(shares[0]).sum()), int(np.isnan(shares[1]).sum())
    if any(diverged):
        sentence += f" Not counted, as they diverged: {diverged[0]} without a norm, {diverged[1]} with batch norm."
    numbers = {"diverged_bare": float(diverged[0]), "diverged_batch": float(diverged[1])}
    for name, share in zip(("bare", "batch"), shares, strict=True):
        known = share[np.isfinite(share)]
        if len(known):
            numbers |= {
                f"{name}_dead": float(np.median(known)),
                f"{name}_low": float(known.min()),
                f"{name}_high": float(known.max()),
            }
    if results.finished("sweep"):
        sentence += " " + _rates_sentence(settings, results)
    return Verdict(answer(shares[0] - born[0], shares[1] - born[1]), sentence, numbers)


def _rates_sentence(settings: UnitsMapSettings, results: Results) -> str:
    """From which rate on more units are dead than at the lowest rate."""
    words = []
    for arm, name in enumerate(("without a norm", "with batch norm")):
        shares = swept(settings, results, arm).mean(axis=2)
        medians = band(np.where(np.isinf(shares), np.nan, shares).T, SWEEP_SEEDS)[1]
        above = [rate for rate, share in zip(settings.rates, medians, strict=True) if share > medians[0] + CLEARLY]
        words.append(f"{name} from {plain(min(above))} on" if above else f"{name} at no rate")
    return f"In the sweep, over {plain(CLEARLY)} % more units than at the lowest rate are dead {words[0]}, {words[1]}."


def judge_no_dying(found: Verdict) -> Finding:
    """Supported: the plain net's median is above half and no net with batch norm loses 2 %; mixed: fewer die in every pair."""
    numbers = found.numbers
    measured = (
        f"dead without a norm {plain(numbers['bare_dead'])} % ({plain(numbers['bare_low'])} to {plain(numbers['bare_high'])}), "
        f"with batch norm {plain(numbers['batch_dead'])} % (at most {plain(numbers['batch_high'])})"
    )
    if numbers["bare_dead"] > HALF and numbers["batch_high"] < NEARLY_NONE:
        return Finding("supported", measured)
    return Finding("mixed" if found.answer == "bare" else "not supported in this setting", measured)


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
