"""The charts of the explore panel: each a figure, and what a measured step puts into it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnviz.charts import explore as figures
from bnviz.charts.numbers import LEVELS, band, pack, shorts
from bnviz.charts.spec import ChartSpec
from bnviz.charts.wire import Series, Views
from bnviz.config.models import RunConfig
from bnviz.records.records import TENSORS, ArmMeasured, RunStarted

Arms = tuple[ArmMeasured, ...]


def always(started: RunStarted) -> bool:
    """For every run."""
    return True


@dataclass(frozen=True)
class ExploreChart:
    """One chart.

    Args:
        name: the id of its figure.
        figure: its skeleton.
        series: `{view: [series of each arm]}` of a measured step, as the skeleton's marks and selectors ask for them.
        is_shown: whether a run has it.
    """

    name: str
    figure: Callable[[RunStarted], ChartSpec]
    series: Callable[[RunConfig, Arms], Views]
    is_shown: Callable[[RunStarted], bool] = always


def has_boundary(started: RunStarted) -> bool:
    """True for 2-D data whose decision boundary is measured."""
    return started.plane is not None and "decision_boundary" in started.config.extras


def by_split(measure: str, factor: float = 1) -> Callable[[RunConfig, Arms], Views]:
    """A curve of the training and of the test data."""

    def series(config: RunConfig, arms: Arms) -> Views:
        return {
            split: [_point(factor * arm.curves[f"{split}_{measure}"], config.trials) for arm in arms]
            for split in ("train", "test")
        }

    return series


def ridges(config: RunConfig, arms: Arms) -> Views:
    """Histograms: one packed row per shown layer, the square root of the share in a bin, relative to the row's fullest bin."""
    return {
        tensor: [_rows(arm.histograms[tensor][0, :, 1:-1], figures.shown_layers(config)) for arm in arms] for tensor in TENSORS
    }


def gradients(config: RunConfig, arms: Arms) -> Views:
    """Gradient norms by layer."""
    return {name: [_columns(arm.layers[name], config.trials) for arm in arms] for name in figures.GRADIENTS}


def units(config: RunConfig, arms: Arms) -> Views:
    """Percent of the units that are dead, or of the outputs that are saturated, by layer."""
    series: list[Series] = []
    for arm, measured in zip(config.arms, arms, strict=True):
        measure = figures.unit_measure(arm)
        percent = 100 / (arm.width if measure == "dead_relu_count" else 1)
        series.append(_columns(measured.layers[measure] * percent, config.trials))
    return {"": series}


def drift(config: RunConfig, arms: Arms) -> Views:
    """The percentiles of each shown layer; nothing for an arm that has no such layer."""
    views: dict[str, list[Series]] = {}
    for tensor in TENSORS:
        for layer in figures.shown_layers(config):
            rows = [arm.percentiles[tensor][0] for arm in arms]
            views[f"{tensor}/{layer + 1}"] = [shorts(row[layer]) if layer < len(row) else [None] * 5 for row in rows]
    return views


def update_ratio(config: RunConfig, arms: Arms) -> Views:
    """How far the step moves the weights, by layer."""
    return {"": [_columns(arm.layers["update_ratio"], config.trials) for arm in arms]}


def boundary(config: RunConfig, arms: Arms) -> Views:
    """The decision boundary's class indices, row after row; empty while there is none."""
    grids = [arm.extras.get("decision_boundary") for arm in arms]
    return {"": ["" if grid is None or not np.isfinite(grid).all() else pack(grid.ravel()) for grid in grids]}


CHARTS = (  # in this order on the page
    ExploreChart("boundary", figures.boundary_figure, boundary, has_boundary),
    ExploreChart("loss", figures.loss_figure, by_split("loss")),
    ExploreChart("accuracy", figures.accuracy_figure, by_split("accuracy", 100)),
    ExploreChart("histograms", figures.histograms_figure, ridges),
    ExploreChart("gradients", figures.gradients_figure, gradients),
    ExploreChart("units", figures.units_figure, units),
    ExploreChart("drift", figures.drift_figure, drift),
    ExploreChart("update_ratio", figures.update_ratio_figure, update_ratio),
)


def _point(values: NDArray[Any], trials: int) -> Series:
    """[low, median, high] over the finite trials."""
    return shorts(band(values, trials))


def _columns(values: NDArray[Any], trials: int) -> Series:
    """[[low by layer], [median by layer], [high by layer]]; one layer is repeated, to be seen as a short bar."""
    edges = band(values, trials)
    edges = np.repeat(edges, 2, axis=1) if edges.shape[1] == 1 else edges
    return [shorts(edge) for edge in edges]


def _rows(counts: NDArray[Any], layers: tuple[int, ...]) -> list[str]:
    shown = counts[[layer for layer in layers if layer < len(counts)]].astype(np.float64)
    peaks = np.maximum(shown.max(axis=1, keepdims=True), 1)
    return [pack(row) for row in np.rint(np.sqrt(shown / peaks) * (LEVELS - 1))]
