"""What an S-shaped function lets through of a gradient, in float64 and without torch.

Expectations over z ~ N(0, 1) are sums on a fine grid, which for analytic functions is exact to rounding.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_GRID: FloatArray = np.linspace(-12, 12, 4801)
_WEIGHTS: FloatArray = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi) * (_GRID[1] - _GRID[0])


def gaussian_mean(function: Callable[[FloatArray], FloatArray], std: float = 1.0) -> float:
    """Return E[function(std * z)] for z ~ N(0, 1); the function must be analytic on the real line and grow slowly."""
    return float(_WEIGHTS @ function(std * _GRID))


def _tanh_slope(z: FloatArray) -> FloatArray:
    return 1 - np.tanh(z) ** 2


def mean_tanh_slope(std: float) -> float:
    """E[tanh'(std z)]: what a gradient keeps on average in a tanh; std 0.1, 0.5, 1: 0.990, 0.827, 0.606.

    References:
        Cooijmans et al. 2016, Recurrent Batch Normalization, arXiv:1603.09025, section 4.
    """
    return gaussian_mean(_tanh_slope, std)
