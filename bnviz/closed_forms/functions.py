"""The activation functions and their slopes as NumPy sees them, and the rule to integrate them by; no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LEAKY_SLOPE = 0.01

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
    return Function(lambda z: np.where(z > 0, z, slope * z), lambda z: np.where(z > 0, 1.0, slope), kinked=True)


FUNCTIONS: dict[str, Function] = {
    "relu": _piecewise_linear(0.0),
    "leaky_relu": _piecewise_linear(LEAKY_SLOPE),
    "linear": Function(lambda z: z, np.ones_like),
    "tanh": Function(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": Function(lambda z: (1 + np.tanh(z / 2)) / 2, lambda z: (1 - np.tanh(z / 2) ** 2) / 4),
    "gelu": Function(lambda z: z * _normal_cdf(z), lambda z: _normal_cdf(z) + z * _normal_density(z)),
}


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
