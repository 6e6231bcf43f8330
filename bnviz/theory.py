"""Closed forms to draw beside the measurements, in float64 and without torch.

Those for signals and gradients through depth are in `bnviz.growth`. Expectations over z ~ N(0, 1) are sums on a
fine grid, which for analytic functions is exact to rounding.

References:
    Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733.
    Li et al. 2018, Understanding the Disharmony between Dropout and Batch Normalization, arXiv:1801.05134.
    van Laarhoven 2017, arXiv:1706.05350; Wan et al. 2020, arXiv:2006.08419 (scale-invariant weights with decay).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.growth import LEAKY_SLOPE as LEAKY_SLOPE
from bnviz.growth import gradient_growth as gradient_growth
from bnviz.growth import plain_gradient_growth as plain_gradient_growth
from bnviz.growth import relu_correlation_map as relu_correlation_map

FloatArray = NDArray[np.float64]

_GRID: FloatArray = np.linspace(-12, 12, 4801)
_WEIGHTS: FloatArray = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi) * (_GRID[1] - _GRID[0])


def gaussian_mean(function: Callable[[FloatArray], FloatArray], std: float = 1.0) -> float:
    """Return E[function(std * z)] for z ~ N(0, 1); the function must be analytic on the real line and grow slowly."""
    return float(_WEIGHTS @ function(std * _GRID))


def _tanh_slope(z: FloatArray) -> FloatArray:
    return 1 - np.tanh(z) ** 2


def born_dead_probability(width: int, depth: int) -> float:
    """Probability that a ReLU net is constant from birth: 1 - (1 - 2^-width)^depth.

    For one input (or inputs on one ray), symmetric weights and zero bias: a layer passes nothing when all its
    `width` units see a negative sum, which happens with 2^-width, independently in each of `depth` layers.

    References:
        Lu et al. 2019, theorem 3.3.
    """
    if width < 1 or depth < 1:
        raise ValueError(f"width, depth: received {width}, {depth}, allowed: 1 or more")
    return -math.expm1(depth * math.log1p(-(2.0**-width)))


def batch_mean_variance(variance: float, batch_size: int) -> float:
    """Variance of the mean of a batch of independent samples: variance / batch_size. Exact."""
    return variance / batch_size


def batch_std_variance(variance: float, batch_size: int, excess_kurtosis: float = 0.0) -> float:
    """Variance of a batch's standard deviation, to first order in 1/M: (excess_kurtosis + 2) variance / (4 M).

    0 excess kurtosis for a Gaussian. The next order is smaller by a factor of about 1/M.

    References:
        Delta method on the variance of the sample variance, e.g. Cramer 1946, section 27.7.
    """
    return (excess_kurtosis + 2) * variance / (4 * batch_size)


def _rectified_excess_kurtosis() -> float:
    """Of max(z, 0), z ~ N(0, 1), from its raw moments 1/sqrt(2 pi), 1/2, sqrt(2/pi), 3/2."""
    m1, m2, m3, m4 = 1 / math.sqrt(2 * math.pi), 1 / 2, math.sqrt(2 / math.pi), 3 / 2
    return (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / (m2 - m1**2) ** 2 - 3


EXCESS_KURTOSIS = {
    "normal": 0.0,
    "uniform": -6 / 5,
    "laplace": 3.0,
    "exponential": 6.0,
    "two_values": -2.0,  # +1 or -1, equally often
    "rectified": _rectified_excess_kurtosis(),  # the output of a ReLU on a normal input
}


def gaussian_batch_std_variance(variance: float, batch_size: int) -> float:
    """Variance of the (biased, 1/M) standard deviation of a batch of Gaussian samples. Exact: chi distribution.

    variance (M - 1 - 2 (Gamma(M/2) / Gamma((M-1)/2))^2) / M; `batch_std_variance` is its first order in 1/M.

    Raises:
        ValueError: a batch of less than 2.
    """
    if batch_size < 2:
        raise ValueError(f"batch_size: received {batch_size}, allowed: 2 or more")
    mean_chi = math.sqrt(2) * math.exp(math.lgamma(batch_size / 2) - math.lgamma((batch_size - 1) / 2))
    return variance * (batch_size - 1 - mean_chi**2) / batch_size


def running_noise_variance(norm_momentum: float, updates: int, batch_variance: float) -> float:
    """Variance of a running statistic after `updates` independent batches: m/(2 - m) (1 - (1-m)^(2t)) batch_variance.

    Args:
        norm_momentum: m, weight of the new value, above 0.
        updates: t.
        batch_variance: variance of the statistic of one batch, as `batch_mean_variance` gives it.
    """
    left = (1 - norm_momentum) ** (2 * updates)
    return norm_momentum / (2 - norm_momentum) * (1 - left) * batch_variance


def running_start_error(norm_momentum: float, updates: int) -> float:
    """Share of a running statistic that is still its start value: (1 - norm_momentum)^updates (PyTorch's momentum)."""
    return (1 - norm_momentum) ** updates


def mean_tanh_slope(std: float) -> float:
    """E[tanh'(std z)]: what a gradient keeps on average in a tanh; std 0.1, 0.5, 1: 0.990, 0.827, 0.606.

    References:
        Cooijmans et al. 2016, Recurrent Batch Normalization, arXiv:1603.09025, section 4.
    """
    return gaussian_mean(_tanh_slope, std)


def dropout_variance_shift(keep: float, variance: float = 1.0, mean: float = 0.0) -> float:
    """Test over training variance of a unit behind inverted dropout: v / ((v + c^2)/p - c^2); p for a mean of 0.

    Args:
        keep: probability p that an input is kept, above 0 and at most 1.
        variance: v of the input.
        mean: c of the input.

    References:
        Li et al. 2018, section 3.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep: received {keep}, allowed: above 0, at most 1")
    return variance / ((variance + mean**2) / keep - mean**2)


def equilibrium_norm(lr: float, weight_decay: float, unit_gradient_square: float) -> float:
    """Norm at which weights that feed a norm settle under SGD: ((lr / (2 lambda)) E|g_unit|^2)^(1/4).

    Args:
        lr: learning rate.
        weight_decay: lambda, above 0.
        unit_gradient_square: E|g|^2 of the gradient at weights of norm 1.

    References:
        van Laarhoven 2017; Wan et al. 2020.
    """
    return (lr / (2 * weight_decay) * unit_gradient_square) ** 0.25


def equilibrium_angle(lr: float, weight_decay: float) -> float:
    """Angle in radians by which such weights turn in a step once settled: sqrt(2 lr lambda) (Wan et al. 2020)."""
    return math.sqrt(2 * lr * weight_decay)
