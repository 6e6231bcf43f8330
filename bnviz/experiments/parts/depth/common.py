"""What the parts about depth share: probes by arm, and how a growth is fitted over the layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bnviz.experiments.kit.labelled import FloatArray, Labelled, stacked
from bnviz.experiments.kit.results import Results

EDGE = 5  # layers left out at either end of a fit: the first are not at the fixed point, the last see the read-out


def probed_by_arm(results: Results, name: str, keys: Mapping[str, str], **axes: tuple[Any, ...]) -> Labelled:
    """A value of every arm's own probe, by arm and these axes; NaN for arms that are not measured yet. `keys`: stages by arm."""
    return stacked("arm", {arm: results.probed(name, key, **axes) for arm, key in keys.items()})


def over_last_layer(found: Labelled) -> Labelled:
    """The same over its value at the last layer; layers are the last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Labelled(found.values / found.values[..., -1:], found.axes)


def interior(layers: int) -> slice:
    """The layers (from 0) that a fit over depth uses; fewer are left out of a shallow net."""
    edge = min(EDGE, layers // 5)
    return slice(edge, layers - edge)


def growth_per_layer(squares: Labelled) -> Labelled:
    """Factor per layer, downwards, of squared norms by layer: a line through their logarithms.

    Least squares on the interior layers: the two ends differ from the rest. NaN for trials that are not measured, or 0.

    Raises:
        ValueError: fewer than two interior layers.
    """
    layers = len(squares.axes["layer"])
    if len(range(layers)[interior(layers)]) < 2:
        raise ValueError(f"layers: received {layers}, allowed: 2 or more")
    return _fall(squares, np.arange(layers, dtype=np.float64)).map(np.exp)


def power_of_depth(squares: Labelled) -> Labelled:
    """Power of the layer's number by which squared norms fall, fitted on the interior layers; NaN as in `growth_per_layer`."""
    return _fall(squares, np.log(np.array(squares.axes["layer"], np.float64)))


def _fall(squares: Labelled, x: FloatArray) -> Labelled:
    """By how much the logarithm falls per x, which has a place for each layer: least squares on the interior layers."""
    inside = interior(len(x))
    centred = x[inside] - x[inside].mean()

    def fitted(rows: FloatArray, axis: int) -> FloatArray:
        rows = np.moveaxis(rows, axis, -1)
        is_known = (np.isfinite(rows) & (rows > 0)).all(axis=-1, keepdims=True)
        return -(np.log(np.where(is_known, rows, np.nan)[..., inside]) @ centred) / (centred @ centred)

    return squares.over("layer", fitted)
