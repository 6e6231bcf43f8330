"""The skeletons of the explore panel's charts, one function each: what is drawn where, and how to read it."""

import math
from typing import Any

from bnviz.charts.numbers import spread
from bnviz.charts.spec import ChartSpec, Mark, Selector
from bnviz.charts.theme import BAND_OPACITY, CLASS_COLORS, arm_styles, axis, base_layout
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.records.records import BIN_RANGE, TENSORS, RunStarted
from bnviz.registry.activations import ACTIVATIONS

MAX_LAYERS_SHOWN = 6
MAX_POINTS_SHOWN = 300  # training points drawn over a decision boundary
TENSOR_NAMES = {"pre_norm": "pre-norm", "pre_activation": "pre-activation", "post_activation": "post-activation"}
GRADIENTS = {"weight_grad_norm": "of the weights", "pre_norm_grad_norm": "of the pre-norm output"}
RIDGE_HEIGHT = 1.25  # rows are 1 apart: neighbours overlap a little
_DEAD = "A dead unit outputs 0 for every probe sample: no gradient passes, so it cannot learn."
_SATURATED = "A saturated output sits on the flat end of its curve, where hardly any gradient passes."
UNIT_WORDS = {
    frozenset({"dead_relu_count"}): ("Dead ReLU units", "dead units (%)", _DEAD),
    frozenset({"saturated_fraction"}): ("Saturated outputs", "saturated outputs (%)", _SATURATED),
    frozenset({"dead_relu_count", "saturated_fraction"}): ("Dead or saturated", "dead or saturated (%)", f"{_DEAD} {_SATURATED}"),
}


def layers_of(config: RunConfig) -> int:
    """Hidden layers of the deepest arm: the charts' layer axis."""
    return max(arm.depth for arm in config.arms)


def shown_layers(config: RunConfig) -> tuple[int, ...]:
    """Layer indices (from 0) that the distribution charts show."""
    return spread(layers_of(config), MAX_LAYERS_SHOWN)


def unit_measure(arm: ArmConfig) -> str:
    """Which unit count suits an arm's activation: the saturated fraction where it has flat ends, else dead ReLU units."""
    return "saturated_fraction" if ACTIVATIONS[arm.activation].linear_range else "dead_relu_count"


def loss_figure(started: RunStarted) -> ChartSpec:
    """Training and test loss over the steps."""
    config = started.config
    scale = Selector("scale", "log scale", (("linear", "linear"), ("log", "log")), "linear", "scale")
    chart = ChartSpec(
        "loss",
        "Loss",
        "Lower is better. Each line is the median over the trials; where the bands part, the nets differ.",
        "append",
        _over_steps(config, "cross-entropy (nats)"),
        selectors=(_split_selector("train"), scale),
        y_cap=1.6,
        y_floor=0.0,
        titles={"train": {"y": "training loss (nats)"}, "test": {"y": "test loss (nats)"}},
    )
    return _banded(chart, config, "step %{x}: %{y:.3g}")


def accuracy_figure(started: RunStarted) -> ChartSpec:
    """Test and training accuracy over the steps."""
    config = started.config
    chart = ChartSpec(
        "accuracy",
        "Accuracy",
        "Higher is better. The net whose line climbs first learns in fewer steps.",
        "append",
        _over_steps(config, "accuracy (%)"),
        selectors=(_split_selector("test"),),
        y_range=(0.0, 102.0),
        titles={"train": {"y": "training accuracy (%)"}, "test": {"y": "test accuracy (%)"}},
    )
    return _banded(chart, config, "step %{x}: %{y:.3g} %")


def histograms_figure(started: RunStarted) -> ChartSpec:
    """Distributions of every layer on the bins that all layers, arms and steps share."""
    config = started.config
    layers = shown_layers(config)
    layout = base_layout("", "hidden layer")
    layout["xaxis"] |= {"range": list(BIN_RANGE), "dtick": 2, "nticks": 0}
    layout["yaxis"] |= {"tickvals": list(range(len(layers))), "ticktext": [str(layer + 1) for layer in layers]}
    chart = ChartSpec(
        "histograms",
        "What each layer sees",
        "One row per layer, layer 1 at the bottom. Watch which curves drift, widen or collapse while the net learns.",
        "replace",
        layout,
        selectors=(_tensor_selector("pre_activation"),),
        y_range=(-0.15, len(layers) - 1 + RIDGE_HEIGHT + 0.35),
        titles={tensor: {"x": f"{name} value, first trial"} for tensor, name in TENSOR_NAMES.items()},
    )
    for index, style in enumerate(arm_styles(config)):
        chart.add_ridge(style, index, RIDGE_HEIGHT)
    return chart


def gradients_figure(started: RunStarted) -> ChartSpec:
    """Gradient norms by layer."""
    config = started.config
    chart = ChartSpec(
        "gradients",
        "Gradient by layer",
        "Level: every layer gets its share. Falling towards layer 1: gradients vanish on the way back; rising: they explode.",
        "replace",
        _by_layer(config, "L2 norm", "log"),
        selectors=(Selector("gradient", "Gradient", tuple(GRADIENTS.items()), "weight_grad_norm"),),
        titles={
            "weight_grad_norm": {"y": "gradient norm, weights"},
            "pre_norm_grad_norm": {"y": "gradient norm, pre-norm"},
        },
    )
    return _banded_by_layer(chart, config, "layer %{x}: %{y:.3g}")


def units_figure(started: RunStarted) -> ChartSpec:
    """Dead ReLU units, or saturated outputs for arms whose activation has flat ends, by layer."""
    config = started.config
    title, quantity, how = UNIT_WORDS[frozenset(unit_measure(arm) for arm in config.arms)]
    chart = ChartSpec("units", title, how, "replace", _by_layer(config, quantity, "linear"), y_range=(-2.0, 102.0))
    chart.empty = "No ReLU, sigmoid or tanh here: no unit of these networks dies or saturates"
    return _banded_by_layer(chart, config, "layer %{x}: %{y:.3g} %")


def drift_figure(started: RunStarted) -> ChartSpec:
    """Percentiles of one layer's values over the steps."""
    config = started.config
    layers = shown_layers(config)
    options = tuple((str(layer + 1), f"layer {layer + 1}") for layer in layers)
    chart = ChartSpec(
        "drift",
        "Drift",
        "Median, 15th to 85th and 5th to 95th percentile. Where the bands hold still, the next layer gets a steady input.",
        "append",
        _over_steps(config, "value"),
        selectors=(_tensor_selector("pre_activation"), Selector("layer", "Layer", options, options[-1][0])),
        titles={
            f"{tensor}/{value}": {"y": f"{name}, {label}"} for tensor, name in TENSOR_NAMES.items() for value, label in options
        },
        y_cap=8.0,
    )
    for index, style in enumerate(arm_styles(config)):
        chart.add_band(style, index, (0, 4), BAND_OPACITY * 0.6)
        chart.add_band(style, index, (1, 3), BAND_OPACITY)
    for index, style in enumerate(arm_styles(config)):
        chart.add_line(style, index, 2, "step %{x}: median %{y:.3g}")
    return chart


def update_ratio_figure(started: RunStarted) -> ChartSpec:
    """How far one update moves the weights, by layer."""
    config = started.config
    chart = ChartSpec(
        "update_ratio",
        "Size of an update",
        "How far one update moves a layer's weights, as a share of their length. A rule of thumb: about 0.001.",
        "replace",
        _by_layer(config, "update ratio |ΔW| / |W|", "log"),
        empty="The update ratio comes with the first update",
    )
    return _banded_by_layer(chart, config, "layer %{x}: %{y:.3g}")


def boundary_figure(started: RunStarted) -> ChartSpec:
    """The decision boundary of every arm on 2-D data, under the training points."""
    assert started.plane is not None
    styles = arm_styles(started.config)
    chart = ChartSpec(
        "boundary",
        "Decision boundary",
        "Areas: the network's answer there (first trial). Dots: training samples, coloured by their true class.",
        "replace",
        base_layout("", ""),
        palette=CLASS_COLORS,
        y_range=(float(started.plane["extent"][2]), float(started.plane["extent"][3])),
    )
    chart.layout |= {"margin": {"l": 30, "r": 8, "t": 22, "b": 22}, "images": [], "annotations": []}
    columns = min(len(styles), 3)
    rows = math.ceil(len(styles) / columns)
    for index, style in enumerate(styles):
        _add_plane(chart, started, index, style.plot_label, (index % columns, columns), (index // columns, rows))
    return chart


def _add_plane(
    chart: ChartSpec, started: RunStarted, arm: int, label: str, column: tuple[int, int], row: tuple[int, int]
) -> None:
    """One arm's subplot: the image of its decision boundary and the training points."""
    assert started.plane is not None
    x0, x1, y0, y1 = (float(edge) for edge in started.plane["extent"])
    number = "" if arm == 0 else str(arm + 1)
    left, right = column[0] / column[1] + 0.02, (column[0] + 1) / column[1] - 0.02
    top = 1 - row[0] / row[1]
    bottom = top - 1 / row[1] + (0.1 if row[1] > 1 else 0)
    chart.layout[f"xaxis{number}"] = axis("", domain=[left, right], range=[x0, x1], anchor=f"y{number}", showgrid=False, nticks=4)
    chart.layout[f"yaxis{number}"] = axis("", domain=[bottom, top], range=[y0, y1], anchor=f"x{number}", showgrid=False, nticks=4)
    image = {"xref": f"x{number}", "yref": f"y{number}", "x": x0, "y": y1, "sizex": x1 - x0, "sizey": y1 - y0}
    chart.layout["images"].append({**image, "sizing": "stretch", "layer": "below", "opacity": 0.55, "source": ""})
    place = {
        "xref": "paper",
        "yref": "paper",
        "x": (left + right) / 2,
        "y": top,
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
    }
    chart.layout["annotations"].append({**place, "text": label})
    chart.data.append(_points(started, number))
    chart.marks.append(Mark("image", arm, arm, (), arm))


def _points(started: RunStarted, number: str) -> dict[str, object]:
    """A scatter trace of the training samples; symbols differ by class as well as colours."""
    assert started.plane is not None
    points = started.plane["points"][:MAX_POINTS_SHOWN]
    labels: list[int] = started.plane["labels"][:MAX_POINTS_SHOWN].astype(int).tolist()
    symbols = ("circle", "square", "triangle-up", "diamond", "x", "cross")
    marker = {
        "size": 4,
        "color": [CLASS_COLORS[label % len(CLASS_COLORS)] for label in labels],
        "symbol": [symbols[label % len(symbols)] for label in labels],
        "line": {"width": 0.5, "color": "rgba(255,255,255,0.8)"},
    }
    x, y = ([round(float(value), 3) for value in column] for column in points.T)
    axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker, "hoverinfo": "skip", **axes}


def _banded(chart: ChartSpec, config: RunConfig, hover: str) -> ChartSpec:
    """Per arm a band (columns 0 and 2) and a median line (column 1); all bands below all lines."""
    for index, style in enumerate(arm_styles(config)):
        chart.add_band(style, index, (0, 2), BAND_OPACITY)
    for index, style in enumerate(arm_styles(config)):
        chart.add_line(style, index, 1, hover)
    return chart


def _banded_by_layer(chart: ChartSpec, config: RunConfig, hover: str) -> ChartSpec:
    layers = layers_of(config)
    chart.x = [float(layer) for layer in range(1, layers + 1)] if layers > 1 else [0.75, 1.25]  # one layer: a short bar
    return _banded(chart, config, hover)


def _over_steps(config: RunConfig, y_title: str) -> dict[str, Any]:
    layout = base_layout("step (updates)", y_title)
    layout["xaxis"]["range"] = [0, config.steps] if config.steps else [-0.5, 0.5]
    return layout


def _by_layer(config: RunConfig, y_title: str, scale: str) -> dict[str, Any]:
    layers = layers_of(config)
    layout = base_layout("hidden layer", y_title)
    layout["xaxis"] |= {"range": [0.5, layers + 0.5]} | ({"dtick": 1, "nticks": 0} if layers <= 12 else {})
    layout["yaxis"] |= {"type": scale} | ({"exponentformat": "power", "dtick": 1, "nticks": 0} if scale == "log" else {})
    return layout


def _split_selector(value: str) -> Selector:
    return Selector("split", "Data", (("train", "training"), ("test", "test")), value)


def _tensor_selector(value: str) -> Selector:
    return Selector("tensor", "Values", tuple((tensor, TENSOR_NAMES[tensor]) for tensor in TENSORS), value)
