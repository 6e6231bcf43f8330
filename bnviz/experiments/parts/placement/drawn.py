"""The charts: losses and accuracies by activation, and what each layer hands on."""

from collections.abc import Callable

import numpy as np

from bnviz.charts.builders import layer_chart, sweep_series
from bnviz.charts.numbers import shorts
from bnviz.charts.spec import ChartSpec, Selector
from bnviz.experiments.kit.base import Chart, Series
from bnviz.experiments.kit.labelled import Labelled, known_median
from bnviz.experiments.kit.learning import final_loss
from bnviz.experiments.kit.quantities import Conditions, Quantity
from bnviz.experiments.kit.readings import finite, reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.placement.nets import NAMES, STYLES, PlacementSettings
from bnviz.records.records import PERCENTILES

SHOWN = (5, 50, 95)  # percentiles of the outputs
LOSS = Quantity(
    "train_loss",
    "Training loss",
    "Mean over the last tenth of the steps, from the best to the worst seed; lower is better.",
    "training loss (nats)",
    log=True,
    take=final_loss,
)
ACCURACY = Quantity(
    "test_accuracy",
    "Test accuracy",
    "With running statistics; higher is better.",
    "test accuracy (%)",
    take=lambda results, stage: 100 * reading(results, stage, "test_accuracy"),
)
HANDED_ON = Quantity(
    "layer_output_percentiles",
    "What is handed on",
    "Median, and the range from 5 to 95 % of all outputs of a layer. This is what the next layer is given.",
    "output of the layer",
)
OFF_CENTRE = Quantity(
    "layer_output_mean",
    "Off centre",
    "Mean over standard deviation of a layer's outputs: 0 is centred. Bands are over seeds.",
    "mean / std of the output",
)


def charts(settings: PlacementSettings) -> tuple[Chart, ...]:
    """Training loss and test accuracy by activation, and the distributions that layers hand on."""
    grid, activations = settings.grid, Conditions("activation", {name: NAMES[name] for name in settings.shapes})
    loss = LOSS.by_condition("loss", STYLES, activations, lambda results: finite(grid.collect(results, LOSS.newest)))
    accuracy = ACCURACY.by_condition(
        "accuracy", STYLES, activations, lambda results: finite(grid.collect(results, ACCURACY.newest))
    )
    accuracy.spec.y_range = (0.0, 102.0)
    return (
        loss,
        accuracy,
        Chart(_layers(settings, "handed_on", HANDED_ON), lambda results: _views(settings, results, _percentiles, _shown)),
        Chart(_layers(settings, "off_centre", OFF_CENTRE), lambda results: _views(settings, results, _off_centre, _band)),
    )


def _layers(settings: PlacementSettings, id: str, quantity: Quantity) -> ChartSpec:
    """A chart over the layers, of one activation at a time."""
    spec = layer_chart(id, quantity.title, quantity.how, quantity.axis, tuple(STYLES.values()), settings.depth)
    options = tuple((name, NAMES[name]) for name in settings.shapes)
    spec.selectors = (Selector("activation", "Activation", options, options[0][0]),)
    return spec


def _views(
    settings: PlacementSettings, results: Results, take: Callable[[Results, str], Labelled], series: Callable[[Labelled], Series]
) -> dict[str, list[Series]]:
    found = settings.grid.collect(results, take)
    return {name: [series(each.at(arm=arm)) for arm in STYLES] for name, each in found.along("activation")}


def _percentiles(results: Results, stage: str) -> Labelled:
    """The shown percentiles of the outputs, by arm, layer and percentile: medians over the seeds that are known."""
    found = results.newest(HANDED_ON.measure, stage)
    arms, seeds, layers, _ = found.axes.values()
    named = Labelled(found.values, {"arm": arms, "seed": seeds, "layer": layers, "percentile": PERCENTILES})
    shown = np.stack([named.at(percentile=percentile).values for percentile in SHOWN], axis=-1)
    return Labelled(shown, {**named.axes, "percentile": SHOWN}).over_all(known_median, "seed")


def _shown(found: Labelled) -> Series:
    return [shorts(column) for column in found.rows("percentile", "layer")]


def _off_centre(results: Results, stage: str) -> Labelled:
    """Mean over standard deviation, by arm, seed and layer; NaN where the outputs do not vary."""
    mean, std = (results.newest(name, stage) for name in (OFF_CENTRE.measure, "layer_output_std"))
    return finite(mean / std.map(lambda values: np.where(values > 0, values, np.nan)))


def _band(found: Labelled) -> Series:
    return sweep_series(found.rows("layer", "seed"))
