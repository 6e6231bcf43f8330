"""Closed forms to draw beside the measurements, in float64 and without torch.

Gradient growth is that of the **squared** norm of dL/dy (y: pre-norm) from a hidden layer to the one below it,
at initialization, at infinite width, with batch norm before the activation and eps = 0. Expectations over
z ~ N(0, 1) are sums on a fine grid, which for analytic functions is exact to rounding.

References:
    Yang et al. 2019, A Mean Field Theory of Batch Normalization, arXiv:1902.08129.
    Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733.
    Cho & Saul 2009, Kernel Methods for Deep Learning (the map J).
    Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse, arXiv:2003.01652.
    Li et al. 2018, Understanding the Disharmony between Dropout and Batch Normalization, arXiv:1801.05134.
    van Laarhoven 2017, arXiv:1706.05350; Wan et al. 2020, arXiv:2006.08419 (scale-invariant weights with decay).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.config import ActivationName

FloatArray = NDArray[np.float64]
LEAKY_SLOPE = 0.01

_GRID: FloatArray = np.linspace(-12, 12, 4801)
_WEIGHTS: FloatArray = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi) * (_GRID[1] - _GRID[0])


def gaussian_mean(function: Callable[[FloatArray], FloatArray], std: float = 1.0) -> float:
    """Return E[function(std * z)] for z ~ N(0, 1); the function must be analytic on the real line and grow slowly."""
    return float(_WEIGHTS @ function(std * _GRID))


def _sigmoid(z: FloatArray) -> FloatArray:
    return (1 + np.tanh(z / 2)) / 2


def _sigmoid_slope(z: FloatArray) -> FloatArray:
    return (1 - np.tanh(z / 2) ** 2) / 4


def _tanh_slope(z: FloatArray) -> FloatArray:
    return 1 - np.tanh(z) ** 2


def _normal_cdf(z: FloatArray) -> FloatArray:
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in z])


def _gelu(z: FloatArray) -> FloatArray:
    return z * _normal_cdf(z)


def _gelu_slope(z: FloatArray) -> FloatArray:
    return _normal_cdf(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


_SMOOTH = {"tanh": (np.tanh, _tanh_slope), "sigmoid": (_sigmoid, _sigmoid_slope), "gelu": (_gelu, _gelu_slope)}
_SLOPE_BELOW_ZERO = {"relu": 0.0, "leaky_relu": LEAKY_SLOPE, "linear": 1.0}


def _piecewise_linear_growth(slope: float) -> float:
    """E[phi'^2] / Var[phi] for phi(z) = z above 0 and slope * z below."""
    mean_square = (1 + slope**2) / 2  # of phi and of phi' alike
    return mean_square / (mean_square - (1 - slope) ** 2 / (2 * math.pi))


def _linear_growth(batch: int) -> float:
    return (batch - 2) / (batch - 3)


def _relu_growth(batch: int) -> float:
    rho = -1 / (batch - 1)  # correlation of two samples of one batch after batch norm
    map_rho = relu_correlation_map(rho)
    a = 1 - map_rho
    k = batch / 2 + batch * (batch - 1) * (1 / 4 + math.asin(rho) / (2 * math.pi))
    d = batch / 2 + batch * (batch - 1) * map_rho / 2
    t = (batch - 3) / 2 + (k + d) / batch**2
    return 2 * batch * t / ((batch - 1) * (batch - 3) * a)


def relu_correlation_map(correlation: float) -> float:
    """Correlation (uncentred) of two ReLU layers' outputs whose inputs are Gaussian with `correlation`.

    J(r) = (sqrt(1 - r^2) + r (pi - arccos r)) / pi. With batch norm two samples of a batch of B meet the
    next layer at J(-1/(B - 1)) in every layer: they do not align, however deep the net is.

    Raises:
        ValueError: a correlation outside -1 .. 1.

    References:
        Cho & Saul 2009, eq. 6; Daneshmand et al. 2020.
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation: received {correlation}, allowed: -1 to 1")
    return (math.sqrt(1 - correlation**2) + correlation * (math.pi - math.acos(correlation))) / math.pi


def gradient_growth(activation: ActivationName, batch_size: int | None = None) -> float:
    """Factor of the squared gradient norm per layer, downwards, in a freshly initialized batch-norm net.

    Infinite batch: E[phi'^2] / Var[phi]: ReLU pi/(pi - 1) = 1.467, tanh 1.178, sigmoid 1.034, linear 1.
    The norm itself grows by the square root. It depends neither on the weights' scale nor on gamma (ReLU).

    Args:
        activation: of the hidden layers.
        batch_size: at least 4 (below, the mean is infinite), for linear and relu only; None for an infinite batch.

    Raises:
        ValueError: a batch of 3 or less, or a finite batch for an activation without a closed form.

    References:
        Yang et al. 2019, section 3.2 and appendices; the finite-batch forms hold at the forward fixed point,
        where every two samples have the correlation -1/(B - 1).
    """
    if batch_size is None:
        if activation in _SLOPE_BELOW_ZERO:
            return _piecewise_linear_growth(_SLOPE_BELOW_ZERO[activation])
        value, slope = _SMOOTH[activation]
        return gaussian_mean(lambda z: slope(z) ** 2) / (gaussian_mean(lambda z: value(z) ** 2) - gaussian_mean(value) ** 2)
    if batch_size < 4:
        raise ValueError(f"batch_size: received {batch_size}, allowed: 4 or more (the expected growth is infinite below)")
    finite = {"linear": _linear_growth, "relu": _relu_growth}
    if activation not in finite:
        raise ValueError(f"activation: received {activation} with a finite batch, allowed: {', '.join(finite)}")
    return finite[activation](batch_size)


def plain_gradient_growth(activation: ActivationName, weight_variance: float, width: int) -> float:
    """Factor of the squared gradient norm per layer, downwards, without a norm: weight_variance * width * E[phi'^2].

    Args:
        activation: one whose slope does not depend on the scale of its input: relu, leaky_relu, linear.
        weight_variance: of the initial weights; He's init: 2 * init_gain^2 / width, so ReLU gives init_gain^2.
        width: units of the layers.

    Raises:
        ValueError: another activation.

    References:
        He et al. 2015, Delving Deep into Rectifiers, arXiv:1502.01852, section 2.2.
    """
    if activation not in _SLOPE_BELOW_ZERO:
        raise ValueError(f"activation: received {activation}, allowed: {', '.join(_SLOPE_BELOW_ZERO)}")
    return weight_variance * width * (1 + _SLOPE_BELOW_ZERO[activation] ** 2) / 2


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
