"""The charts: losses and accuracies by activation, and what each layer hands on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.charts.builders import category_chart, layer_chart, sweep_series
from bnviz.charts.numbers import shorts
from bnviz.charts.spec import Selector
from bnviz.experiments.kit.base import Chart, Series
from bnviz.experiments.kit.errors import reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import final_losses
from bnviz.experiments.parts.placement.nets import ARMS, NAMES, STYLES, PlacementSettings
from bnviz.records.records import PERCENTILES

FloatArray = NDArray[np.float64]
SHOWN = (5, 50, 95)  # percentiles of the outputs


def charts(settings: PlacementSettings) -> tuple[Chart, ...]:
    """Training loss and test accuracy by activation, and the distributions that layers hand on."""
    names = [NAMES[name] for name in settings.shapes]
    loss = category_chart(
        "loss",
        "Training loss",
        "Mean over the last tenth of the steps, from the best to the worst seed; lower is better.",
        "training loss (nats)",
        names,
        STYLES,
        y_log=True,
    )
    accuracy = category_chart(
        "accuracy", "Test accuracy", "With running statistics; higher is better.", "test accuracy (%)", names, STYLES
    )
    accuracy.y_range = (0.0, 102.0)
    return (
        Chart(loss, lambda results: {"": _rows(settings, results, final_losses_of)}),
        Chart(accuracy, lambda results: {"": _rows(settings, results, accuracies_of)}),
        _spread_chart(settings),
        _mean_chart(settings),
    )


def final_losses_of(results: Results, key: str, arm: int, seeds: int) -> FloatArray:
    """Training loss over the last tenth of the steps so far, (trials,); infinite once diverged, NaN if not measured."""
    return final_losses(results, key, arm) if results.last(key) else np.full(seeds, np.nan)


def accuracies_of(results: Results, key: str, arm: int, seeds: int) -> FloatArray:
    """Test accuracy in percent, (trials,)."""
    return 100 * reading(results, key, "test_accuracy", arm, seeds)


def _rows(settings: PlacementSettings, results: Results, what: Callable[[Results, str, int, int], FloatArray]) -> list[Series]:
    return [sweep_series([what(results, key, arm, settings.seeds) for key in settings.shapes])[:3] for arm in range(len(ARMS))]


def _spread_chart(settings: PlacementSettings) -> Chart:
    how = "Median, and the range from 5 to 95 % of all outputs of a layer. This is what the next layer is given."
    spec = layer_chart("handed_on", "What is handed on", how, "output of the layer", STYLES, settings.depth)
    spec.selectors = _selector(settings)
    places = [PERCENTILES.index(percentile) for percentile in SHOWN]

    def rows(results: Results, key: str, arm: int) -> Series:
        found = _extra(results, key, arm, "layer_output_percentiles")
        blank = [[None] * settings.depth] * 3
        return blank if found is None else [shorts(column) for column in np.nanmedian(found, axis=0)[:, places].T]

    return Chart(spec, lambda results: _views(settings, results, rows))


def _mean_chart(settings: PlacementSettings) -> Chart:
    how = "Mean over standard deviation of a layer's outputs: 0 is centred. Bands are over seeds."
    spec = layer_chart("off_centre", "Off centre", how, "mean / std of the output", STYLES, settings.depth)
    spec.selectors = _selector(settings)

    def rows(results: Results, key: str, arm: int) -> Series:
        mean, std = (_extra(results, key, arm, f"layer_output_{name}") for name in ("mean", "std"))
        if mean is None or std is None:
            return [[None] * settings.depth] * 3
        return sweep_series(np.divide(mean, std, out=np.full_like(mean, np.nan), where=std > 0).T)[:3]

    return Chart(spec, lambda results: _views(settings, results, rows))


def _selector(settings: PlacementSettings) -> tuple[Selector, ...]:
    options = tuple((name, NAMES[name]) for name in settings.shapes)
    return (Selector("activation", "Activation", options, options[0][0]),)


def _views(settings: PlacementSettings, results: Results, rows: Callable[[Results, str, int], Series]) -> dict[str, list[Series]]:
    return {key: [rows(results, key, arm) for arm in range(len(ARMS))] for key in settings.shapes}


def _extra(results: Results, key: str, arm: int, name: str) -> FloatArray | None:
    """An extra of an arm as measured last; None before that and where every trial diverged."""
    measured = results.arm(key, arm)
    if measured is None:
        return None
    values = np.asarray(measured.extras[name], np.float64)
    return None if np.isnan(values).all() else values
