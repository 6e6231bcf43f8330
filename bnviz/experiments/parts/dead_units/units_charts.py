"""The settings, nets and charts of the units map: units over steps at one learning rate, dead units over many rates."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import columns_chart, heatmap_chart, heatmap_series
from bnviz.charts.images import pack_column
from bnviz.charts.numbers import band
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, PerTrial, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Series, Settings
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import PERCENT, Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES

FRAMES, SWEEP_FRAMES = 75, 10
SWEEP_SEEDS = 3
PROBE = 256  # samples for which a dead unit is 0: few would call too many units dead
ALIVE, DEAD = ("alive", "#c5d8e8"), ("dead", "#7a1022")
OVER_STEPS = Quantity(
    "dead_relu_count",
    "Dead over the steps",
    "All layers together; a band: over the pairs of twins. A line that stays up: the dead do not come back.",
    "dead units (%)",
    range=PERCENT,
    stage="map",
)
BY_RATE = Quantity(
    "dead_relu_count",
    "Dead by rate",
    "All layers together, after the last step. Where a line leaves the ground, units begin to die.",
    "dead units (%)",
    range=PERCENT,
    stage="sweep",
)
Rate = Annotated[Float, Field(ge=1e-3, le=30)]


class UnitsMapSettings(Settings):
    """Twins with ReLU, at one learning rate for the map and at several for the sweep."""

    dataset: Literal["circles", "spirals", "moons", "digits"] = Field(
        default="circles", title="Data set", description="What the nets learn."
    )
    depth: Int = knobs.depth(6, most=20)
    width: Int = knobs.width(64, most=128)
    lr: Rate = Field(default=1.0, title="Learning rate of the map", description="Of the nets whose units the map shows.")
    momentum: Float = Field(default=0.0, ge=0, le=0.99, title="Momentum", description="Of SGD.")
    batch_size: Int = knobs.batch_size(64)
    steps: Int = knobs.steps(300, most=2000, of="Updates, of the map's nets and of the sweep's.")
    seeds: Int = knobs.seeds(6, most=12, of="Pairs of twins at the map's learning rate.")
    rates: tuple[Rate, ...] = Field(
        default=(0.03, 0.1, 0.3, 0.6, 1.0, 2.0, 3.0),
        min_length=2,
        max_length=12,
        title="Learning rates of the sweep",
        description="Each with three seeds.",
    )


def stages(settings: UnitsMapSettings) -> tuple[Stage, ...]:
    """The nets of the map, then those of the sweep as one stack."""
    trials = _trials(settings)
    keep = (OVER_STEPS.measure, "train_loss")
    watched = _run(settings, FRAMES, trials=settings.seeds, extras=("unit_states",))
    many = _run(settings, SWEEP_FRAMES, trials=len(trials.keys), rates=trials.places("lr"), trial_seeds=trials.places("seed"))
    return (
        Stage("map", f"learning rate {number(settings.lr)}", watched, (*keep, "unit_states")),
        Stage("sweep", "sweep", many, keep, trial_axes=trials.axes),
    )


def _trials(settings: UnitsMapSettings) -> Grid:
    return Grid(lr=settings.rates, seed=tuple(range(SWEEP_SEEDS)))


def _run(settings: UnitsMapSettings, frames: int, rates: tuple[float, ...] = (), **more: object) -> RunConfig:
    shared = {"depth": settings.depth, "width": settings.width, "init": "xavier", "momentum": settings.momentum}
    per_trial = PerTrial(lr=rates)
    run = {
        "dataset": DatasetConfig(name=settings.dataset),
        "arms": [ArmConfig.model_validate({**shared, "norm": arm, "lr": settings.lr, "per_trial": per_trial}) for arm in STYLES],
        "steps": settings.steps,
        "batch_size": settings.batch_size,
        "probe_size": PROBE,
        "measure_every": max(settings.steps // frames, 1),
    }
    return RunConfig.model_validate(run | more)


def dead(settings: UnitsMapSettings, results: Results, stage: str, *, diverged: float = np.nan) -> Labelled:
    """Dead units of all layers together in percent as measured last: axes arm and those of the trials."""
    return _percent(settings, results.newest(OVER_STEPS.measure, stage, diverged=diverged)).over("layer", np.mean)


def dead_at_birth(settings: UnitsMapSettings, results: Results) -> Labelled:
    """The same of the map's nets at their first measurement: axes arm, seed."""
    counts = results.over_steps(OVER_STEPS.measure, "map")
    return counts.at(step=counts.axes["step"][0]).over("layer", np.mean) * 100 / settings.width


def swept(settings: UnitsMapSettings, results: Results) -> Labelled:
    """Dead units of the sweep in percent: axes arm, lr, seed, layer; NaN before the sweep, infinite where a net diverged."""
    if results.last("sweep") is not None:
        return _percent(settings, results.newest(BY_RATE.measure, "sweep", diverged=np.inf))
    layers = tuple(range(1, settings.depth + 1))
    axes = {"arm": (NONE, BATCH), **_trials(settings).axes, "layer": layers}
    return Labelled(np.full([len(places) for places in axes.values()], np.nan), axes)


def _percent(settings: UnitsMapSettings, counts: Labelled) -> Labelled:
    return 100 * counts / settings.width


def charts(settings: UnitsMapSettings) -> tuple[Chart, ...]:
    """The map, its count over the steps, and the sweep by layer and as a whole."""
    over_steps = replace(OVER_STEPS, take=partial(dead, settings))
    rates = Swept("lr", settings.rates, "learning rate", log=True)
    return (
        _map(settings),
        over_steps.by_step("dead_over_steps", STYLES, settings.steps),
        _heatmap(settings),
        BY_RATE.by_value("dead_by_rate", STYLES, rates, lambda results: swept(settings, results).over("layer", np.mean)),
    )


def _map(settings: UnitsMapSettings) -> Chart:
    spec = columns_chart(
        "units_map",
        "Every unit",
        "One row per unit, layer 1 at the bottom. Dark: dead, it outputs 0 for all 256 probe samples. First pair of twins.",
        "layer",
        settings.steps,
        _layer_names(settings),
        settings.width,
        (ALIVE, DEAD),
    )

    def draw(results: Results) -> dict[str, list[Series]]:
        if results.key != "map":
            return {"": []}
        alive = results.newest("unit_states", "map").at(seed=0)
        return {"": [[pack_column(1 - alive.at(arm=arm).rows("layer", "unit"))] for arm in STYLES]}

    return Chart(spec, draw)


def _heatmap(settings: UnitsMapSettings) -> Chart:
    spec = heatmap_chart(
        "dead_by_layer",
        "Dead by layer",
        "Light: most units of the layer are dead, in the median over three seeds. A cross: every seed diverged.",
        "learning rate",
        "layer",
        settings.rates,
        _layer_names(settings),
        low=0.0,
        high=100.0,
        unit="dead (%)",
    )

    def draw(results: Results) -> dict[str, list[Any]]:
        found = swept(settings, results)
        return {"": [_cells(found.at(arm=arm).rows("lr", "seed", "layer")) for arm in STYLES]}

    return Chart(spec, draw)


def _layer_names(settings: UnitsMapSettings) -> list[str]:
    return [str(layer) for layer in range(1, settings.depth + 1)]


def _cells(shares: FloatArray) -> str:
    """Packed cells of the median over seeds, layer by layer, from (rates, seeds, layers)."""
    medians = np.array([band(np.where(np.isinf(seeds), np.nan, seeds), SWEEP_SEEDS)[1] for seeds in shares])
    medians[np.isinf(shares).all(axis=(1, 2))] = np.inf
    return heatmap_series(medians.T, 0.0, 100.0)
