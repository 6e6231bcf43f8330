"""The settings, nets and charts of the units map: units over steps at one learning rate, dead units over many rates."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import (
    columns_chart,
    curve_chart,
    curve_point,
    heatmap_chart,
    heatmap_series,
    sweep_chart,
    sweep_series,
)
from bnviz.charts.images import pack_column
from bnviz.charts.numbers import band
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, PerTrial, RunConfig
from bnviz.experiments.kit.base import Chart, Series, Settings, Stage
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import by_value, plain, stacked
from bnviz.experiments.parts.dead_units.common import NORMS, PERCENT, STYLES, FloatArray

FRAMES, SWEEP_FRAMES = 75, 10
SWEEP_SEEDS = 3
PROBE = 256  # samples for which a dead unit is 0: few would call too many units dead
ALIVE, DEAD = ("alive", "#c5d8e8"), ("dead", "#7a1022")
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


def swept(settings: UnitsMapSettings, results: Results, arm: int) -> FloatArray:
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
        return {"": [_cells(swept(settings, results, arm)) for arm in range(len(NORMS))]}

    return Chart(spec, draw)


def _cells(shares: FloatArray) -> Series:
    """Packed cells of the median over seeds, layer by layer."""
    medians = np.array([band(np.where(np.isinf(seeds), np.nan, seeds), SWEEP_SEEDS)[1] for seeds in shares])
    medians[np.isinf(shares).all(axis=(1, 2))] = np.inf
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
        return {"": [sweep_series(swept(settings, results, arm).mean(axis=2)) for arm in range(len(NORMS))]}

    return Chart(spec, draw)
