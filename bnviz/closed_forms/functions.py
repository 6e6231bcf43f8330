"""The activation functions and their slopes as NumPy sees them, and the rule to integrate them by; no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bnviz.registry.activations import ACTIVATIONS

FloatArray = NDArray[np.float64]

SLOPES_BELOW_ZERO = {name: entry.slope_below_zero for name, entry in ACTIVATIONS.items() if entry.slope_below_zero is not None}
_NODES = 96  # of the Gauss-Legendre rule on each side of a kink


@dataclass(frozen=True)
class Function:
    """An activation function, element by element, and its slope."""

    value: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]
    kinked: bool = False  # at 0; everything else is smooth


def _normal_cdf(z: FloatArray) -> FloatArray:
    return np.vectorize(math.erfc, otypes=[np.float64])(-z / math.sqrt(2)) / 2


def _normal_density(z: FloatArray) -> FloatArray:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _piecewise_linear(slope: float) -> Function:
    return Function(lambda z: np.where(z > 0, z, slope * z), lambda z: np.where(z > 0, 1.0, slope), kinked=slope != 1)


FUNCTIONS: dict[str, Function] = {
    **{name: _piecewise_linear(slope) for name, slope in SLOPES_BELOW_ZERO.items()},
    "tanh": Function(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": Function(lambda z: (1 + np.tanh(z / 2)) / 2, lambda z: (1 - np.tanh(z / 2) ** 2) / 4),
    "gelu": Function(lambda z: z * _normal_cdf(z), lambda z: _normal_cdf(z) + z * _normal_density(z)),
}
if TYPE_CHECKING:
    KnownActivation = str
else:
    KnownActivation = Literal[tuple(name for name in ACTIVATIONS if name in FUNCTIONS)]


def function_of(activation: str) -> Function:
    """The activation function as a closed form needs it.

    Raises:
        ValueError: one that is not written out here, such as an activation that was added to the nets alone.
    """
    if activation not in FUNCTIONS:
        raise ValueError(f"activation: received {activation}, allowed, as closed forms know them: {', '.join(FUNCTIONS)}")
    return FUNCTIONS[activation]


@cache
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    return np.polynomial.legendre.leggauss(_NODES)


def rule(kinks: FloatArray, reach: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on (-reach, kink) and (kink, reach), shape (*kinks.shape, 2 * _NODES)."""
    nodes, weights = _gauss_legendre()
    middle = np.where(np.abs(kinks) < reach, kinks, 0.0)[..., None]
    below, above = (middle + reach) / 2, (reach - middle) / 2
    points = np.concatenate([middle - below + below * nodes, middle + above + above * nodes], axis=-1)
    return points, np.concatenate([below * weights, above * weights], axis=-1)
