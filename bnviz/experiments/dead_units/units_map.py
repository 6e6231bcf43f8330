"""Units over steps, alive or dead, at one large learning rate; then the dead over a sweep of learning rates."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.images import pack_column
from bnviz.charts.numbers import band
from bnviz.charts.sweeps import (
    columns_chart,
    curve_chart,
    curve_point,
    heatmap_chart,
    heatmap_series,
    sweep_chart,
    sweep_series,
)
from bnviz.config import ArmConfig, DatasetConfig, Float, Int, PerTrial, RunConfig
from bnviz.experiments.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.dead_units.common import DOUGLAS, LU, NORMS, PERCENT, STYLES, FloatArray, percent_words
from bnviz.experiments.results import Results
from bnviz.experiments.sweeps import by_value, plain, stacked

FRAMES, SWEEP_FRAMES = 100, 15
PROBE = 256  # samples for which a dead unit is 0: few would call too many units dead
ALIVE, DEAD = ("alive", "#c5d8e8"), ("dead", "#7a1022")
HARDLY, CLEARLY = 5.0, 10.0  # percent of units: below, hardly any died; a difference of more is one that counts
HALF, NEARLY_NONE = 50.0, 2.0  # percent of units: what the claim says of the plain net, and of the net with batch norm
Rate = Annotated[Float, Field(ge=1e-3, le=30)]


class UnitsMapSettings(Settings):
    """Twins with ReLU, at one learning rate for the map and at several for the sweep."""

    dataset: Literal["circles", "spirals", "moons", "digits"] = Field(
        default="circles", title="Data set", description="What the nets learn."
    )
    depth: Int = Field(default=6, ge=1, le=20, title="Hidden layers", description="Of both nets.")
    width: Int = Field(default=64, ge=4, le=128, title="Width", description="Units of a hidden layer.")
    lr: Rate = Field(default=1.0, title="Learning rate of the map", description="Of the nets whose units the map shows.")
    momentum: Float = Field(default=0.0, ge=0, le=0.99, title="Momentum", description="Of SGD.")
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=300, ge=10, le=2000, title="Steps", description="Updates, of the map's nets and of the sweep's.")
    seeds: Int = Field(default=6, ge=1, le=12, title="Seeds", description="Pairs of twins at the map's learning rate.")
    rates: tuple[Rate, ...] = Field(
        default=(0.03, 0.1, 0.3, 0.6, 1.0, 2.0, 3.0),
        min_length=2,
        max_length=12,
        title="Learning rates of the sweep",
        description="Each with three seeds.",
    )


SWEEP_SEEDS = 3


def stages(settings: UnitsMapSettings) -> tuple[Stage, ...]:
    """The nets of the map, then those of the sweep as one stack."""
    rates, seeds = stacked(settings.rates, SWEEP_SEEDS)
    keep = ("dead_relu_count", "train_loss")
    watched = _run(settings, settings.seeds, FRAMES, extras=("unit_states",))
    swept = _run(settings, len(rates), SWEEP_FRAMES, rates=rates, trial_seeds=seeds)
    return (
        Stage("map", f"learning rate {plain(settings.lr)}", watched, (*keep, "unit_states")),
        Stage("sweep", "sweep", swept, keep),
    )


def _run(settings: UnitsMapSettings, trials: int, frames: int, rates: Sequence[float] = (), **more: object) -> RunConfig:
    shared = {"depth": settings.depth, "width": settings.width, "init": "xavier", "momentum": settings.momentum}
    per_trial = PerTrial(lr=tuple(rates))
    run = {
        "dataset": DatasetConfig(name=settings.dataset),
        "arms": tuple(ArmConfig(norm=norm, lr=settings.lr, per_trial=per_trial, **shared) for norm in NORMS),
        "trials": trials,
        "steps": settings.steps,
        "batch_size": settings.batch_size,
        "probe_size": PROBE,
        "measure_every": max(settings.steps // frames, 1),
    }
    return RunConfig.model_validate(run | more)


def dead_percent(settings: UnitsMapSettings, results: Results, key: str, arm: int) -> FloatArray | None:
    """Dead units of every layer in percent as measured last, (trials, layers), NaN where a trial diverged; None: not yet."""
    last = results.arm(key, arm)
    return None if last is None else 100 * np.asarray(last.layers["dead_relu_count"], np.float64) / settings.width


def charts(settings: UnitsMapSettings) -> tuple[Chart, ...]:
    """The map, its count over the steps, and the sweep by layer and as a whole."""
    return _map(settings), _curve(settings), _heatmap(settings), _sweep(settings)


def _map(settings: UnitsMapSettings) -> Chart:
    spec = columns_chart(
        "units_map",
        "Every unit",
        "One row a unit, layer 1 at the bottom. Dark: dead, it puts out 0 for all 256 probe samples. First pair of twins.",
        "layer",
        settings.steps,
        [str(layer + 1) for layer in range(settings.depth)],
        settings.width,
        (ALIVE, DEAD),
    )

    def draw(results: Results) -> dict[str, list[Series]]:
        if results.now is None or results.key != "map":
            return {"": []}
        return {"": [[pack_column(1 - arm.extras["unit_states"][0])] for arm in results.now.arms]}

    return Chart(spec, draw)


def _curve(settings: UnitsMapSettings) -> Chart:
    spec = curve_chart(
        "dead_over_steps",
        "Dead over the steps",
        "All layers together; a band: over the pairs of twins. A line that stays up: the dead do not come back.",
        "dead units (%)",
        STYLES,
        settings.steps,
        y_range=PERCENT,
    )

    def draw(results: Results) -> dict[str, list[Series]]:
        if results.now is None or results.key != "map":
            return {"": []}
        shares = [dead_percent(settings, results, "map", arm) for arm in range(len(NORMS))]
        return {"": [curve_point(share.mean(axis=1)) if share is not None else [] for share in shares]}

    return Chart(spec, draw)


def _swept(settings: UnitsMapSettings, results: Results, arm: int) -> FloatArray:
    """Dead units in percent, (rates, seeds, layers): NaN before the sweep, infinite where a trial diverged."""
    shares = dead_percent(settings, results, "sweep", arm)
    last = results.arm("sweep", arm)
    if shares is None or last is None:
        return np.full((len(settings.rates), SWEEP_SEEDS, settings.depth), np.nan)
    gone = (np.asarray(last.diverged_at) >= 0)[:, None]
    return by_value(np.where(gone, np.inf, shares), settings.rates, SWEEP_SEEDS, axis=0)


def _heatmap(settings: UnitsMapSettings) -> Chart:
    spec = heatmap_chart(
        "dead_by_layer",
        "Dead by layer",
        "Light: most units of the layer are dead, in the median over three seeds. A cross: every seed diverged.",
        "learning rate",
        "layer",
        settings.rates,
        [str(layer + 1) for layer in range(settings.depth)],
        low=0.0,
        high=100.0,
        unit="dead (%)",
    )

    def draw(results: Results) -> dict[str, list[Series]]:
        return {"": [_cells(_swept(settings, results, arm)) for arm in range(len(NORMS))]}

    return Chart(spec, draw)


def _cells(swept: FloatArray) -> Series:
    """Packed cells of the median over seeds, layer by layer."""
    medians = np.array([band(np.where(np.isinf(seeds), np.nan, seeds), SWEEP_SEEDS)[1] for seeds in swept])
    medians[np.isinf(swept).all(axis=(1, 2))] = np.inf
    return heatmap_series(medians.T, 0.0, 100.0)  # type: ignore[return-value]


def _sweep(settings: UnitsMapSettings) -> Chart:
    spec = sweep_chart(
        "dead_by_rate",
        "Dead by rate",
        "All layers together, after the last step. Where a line leaves the ground, units begin to die.",
        "learning rate",
        "dead units (%)",
        settings.rates,
        STYLES,
        x_log=True,
        y_range=PERCENT,
    )

    def draw(results: Results) -> dict[str, list[Series]]:
        return {"": [sweep_series(_swept(settings, results, arm).mean(axis=2)) for arm in range(len(NORMS))]}

    return Chart(spec, draw)


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
        sentence += f" Not counted, as they diverged: {diverged[0]} plain nets, {diverged[1]} with batch norm."
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
        shares = _swept(settings, results, arm).mean(axis=2)
        medians = band(np.where(np.isinf(shares), np.nan, shares).T, SWEEP_SEEDS)[1]
        above = [rate for rate, share in zip(settings.rates, medians, strict=True) if share > medians[0] + CLEARLY]
        words.append(f"{name} from {plain(min(above))} on" if above else f"{name} at no rate")
    return f"In the sweep, over {plain(CLEARLY)} % more units than at the lowest rate are dead {words[0]}, {words[1]}."


def judge_no_dying(found: Verdict) -> Finding:
    """Supported: the plain net's median is above half and no net with batch norm loses 2 %; mixed: fewer die in every pair."""
    numbers = found.numbers
    if "bare_dead" not in numbers or "batch_high" not in numbers:
        return Finding("mixed", found.sentence)
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
    question="Two twins train at the learning rate 1: whose ReLU units die?",
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
