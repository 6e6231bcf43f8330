"""Closed forms for signals and gradients through depth at initialization, in float64 and without torch.

Gradient growth is that of the **squared** norm of dL/dy (y: pre-norm) from a hidden layer to the one below it, in a wide
net with batch norm before the activation and eps = 0. Let B samples of a batch be given to a layer.

    x = sqrt(B) * (a point drawn evenly from the unit sphere of the vectors of B numbers whose sum is 0)

is then the normalized pre-norm of one unit over the batch, f(x) = phi(gamma x + beta) what the unit hands on and
d = f'(x). With C = I - 11'/B (centring) and P = C - xx'/B (what batch norm lets a gradient keep) the growth is

    R = B / (B - 3) * E[tr(P D C D P)] / E[|C f(x)|^2],    D = diag(d)

because W'W keeps every gradient's covariance among the samples proportional to C, E[1/batch_var] brings B / (B - 3), and
E[|C f|^2] sets the variance of the next pre-norm. For an infinite batch R = E[d^2] / Var[f(z)], z ~ N(0, 1).

References:
    Yang et al. 2019, A Mean Field Theory of Batch Normalization, arXiv:1902.08129.
    De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function, arXiv:2002.10444.
    Cho & Saul 2009, Kernel Methods for Deep Learning (the map J).
    Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse, arXiv:2003.01652.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bnviz.closed_forms.functions import Function, function_of, rule
from bnviz.closed_forms.plain_nets import relu_correlation_map
from bnviz.registry.activations import ActivationName

FloatArray = NDArray[np.float64]

_REACH = 12.0  # standard deviations; what lies beyond weighs less than float64 resolves


def gradient_growth(activation: ActivationName, batch_size: int | None = None, *, gamma: float = 1.0, beta: float = 0.0) -> float:
    """Factor of the squared gradient norm per layer, downwards, in a freshly initialized batch-norm net.

    Infinite batch: E[phi'^2] / Var[phi]: ReLU pi/(pi - 1) = 1.467, tanh 1.178, sigmoid 1.034, linear 1.
    The norm itself grows by the square root. It depends neither on the weights' scale nor on gamma (ReLU).
    A beta above 0 moves a ReLU towards its linear side, where the growth is least.

    Args:
        activation: of the hidden layers.
        batch_size: at least 4 (below, the mean is infinite); None for an infinite batch.
        gamma: of every batch norm; not 0.
        beta: of every batch norm.

    Raises:
        ValueError: a batch of 3 or less, a gamma of 0, or an activation that closed forms do not know.

    References:
        Yang et al. 2019, section 3.2 and appendices; the finite-batch form (see the module's docstring) holds at the
        forward fixed point, where every two samples have the correlation -1/(B - 1).
    """
    if batch_size is None:
        return _infinite_growth(activation, gamma, beta)
    if batch_size < 4:
        raise ValueError(f"batch_size: received {batch_size}, allowed: 4 or more (the expected growth is infinite below)")
    if beta == 0 and activation == "linear":
        return (batch_size - 2) / (batch_size - 3)
    if beta == 0 and activation == "relu":
        return _relu_growth(batch_size)
    gradient, post = _batch_moments(activation, batch_size, gamma, beta)
    return batch_size / (batch_size - 3) * gradient / post


def residual_exponent(activation: ActivationName, batch_size: int | None = None) -> float:
    """Power of depth by which the squared norm of dL/dh grows where every layer is added to its input.

    h_l = h_(l-1) + phi(BN(W h_(l-1))): each layer adds the same variance v, so Var[h_l] = l v and batch norm divides by
    sqrt(l): |dL/dh_(l-1)|^2 = (1 + R / (l - 1)) |dL/dh_l|^2 with the R of a net without skips. Over many layers
    that is (depth / l)^R: a power of depth where a net without skips has R^(depth - l). At the pre-norm, which the
    batch norm divides by sqrt(l) once more, the power is R + 1.

    References:
        Var[h_l] = l v: De & Smith 2020, section 3. The product follows from it and from Yang et al. 2019 in a line.
    """
    return gradient_growth(activation, batch_size)


def residual_growth(depth: int, exponent: float) -> FloatArray:
    """|dL/dh_l|^2 / |dL/dh_depth|^2 for layers l = 1 .. depth of a residual batch-norm net: the product of 1 + R/k.

    Shape (depth,), 1 at the last layer.

    Args:
        depth: layers, the first without a skip.
        exponent: R of `residual_exponent`.
    """
    factors = 1 + exponent / np.arange(1, depth)
    return np.append(np.cumprod(factors[::-1])[::-1], 1.0)


def branch_variance(activation: ActivationName, batch_size: int, *, gamma: float = 1.0, beta: float = 0.0) -> float:
    """Variance over the batch (biased) of phi(gamma BN(y) + beta): what each residual layer adds to the sum of all.

    (B - 1)/B (1 - J(-1/(B - 1)))/2 for ReLU: 0.341 at an infinite batch.

    References:
        De & Smith 2020, section 3: the variance on the skip path grows by the same amount with every layer.
    """
    return _batch_moments(activation, batch_size, gamma, beta)[1] / batch_size


def batch_cosine(activation: ActivationName, batch_size: int, *, gamma: float = 1.0, beta: float = 0.0) -> float:
    """Cosine at which two samples of a batch leave every layer phi(gamma BN(y) + beta): E[f(x1) f(x2)] / E[f(x1)^2].

    J(-1/(B - 1)) for ReLU, -1/(B - 1) for a linear layer. Whatever the inputs are, as long as they are symmetric among
    the samples, and however deep the net is.

    References:
        Daneshmand et al. 2020; Yang et al. 2019 (the fixed point).
    """
    square, scattered = _batch_squares(activation, batch_size, gamma, beta)
    return 1 - scattered / ((batch_size - 1) * square)


def _relu_growth(batch: int) -> float:
    rho = -1 / (batch - 1)  # correlation of two samples of one batch after batch norm
    map_rho = relu_correlation_map(rho)
    a = 1 - map_rho
    k = batch / 2 + batch * (batch - 1) * (1 / 4 + math.asin(rho) / (2 * math.pi))
    d = batch / 2 + batch * (batch - 1) * map_rho / 2
    t = (batch - 3) / 2 + (k + d) / batch**2
    return 2 * batch * t / ((batch - 1) * (batch - 3) * a)


def _infinite_growth(activation: ActivationName, gamma: float, beta: float) -> float:
    function = function_of(activation)
    z, weights = rule(_kink(function, gamma, beta), np.array(_REACH))
    weights = weights * np.exp(-(z**2) / 2)
    weights = weights / weights.sum()
    value, slope = function.value(gamma * z + beta), gamma * function.slope(gamma * z + beta)
    return float(weights @ slope**2 / (weights @ value**2 - (weights @ value) ** 2))


def _kink(function: Function, gamma: float, beta: float) -> NDArray[np.float64]:
    if gamma == 0:
        raise ValueError("gamma: received 0, allowed: any other number")
    return np.array(-beta / gamma if function.kinked else np.inf)


@lru_cache(maxsize=256)
def _batch_moments(activation: ActivationName, batch: int, gamma: float, beta: float) -> tuple[float, float]:
    """E[tr(P D C D P)] and E[|C f(x)|^2] over the sphere, from the moments of one and of two of its coordinates."""
    function = function_of(activation)
    first, second, one, two = _sphere(batch, _kink(function, gamma, beta))
    f, d = (lambda x: function.value(gamma * x + beta)), (lambda x: gamma * function.slope(gamma * x + beta))

    def alone(g: Callable[[FloatArray], FloatArray]) -> float:
        return float(one @ g(first) ** 2)

    def scatter(g: Callable[[FloatArray], FloatArray]) -> float:
        """E[|C g|^2]: B E[g1^2] - E[(sum g)^2] / B."""
        pair = float((one * g(first)) @ (two * g(second)).sum(axis=1))
        return (batch - 1) * (alone(g) - pair)

    kept = (batch - 1) * alone(d) - (scatter(d) + scatter(lambda x: x * d(x))) / batch
    return kept, scatter(f)


def _batch_squares(activation: ActivationName, batch: int, gamma: float, beta: float) -> tuple[float, float]:
    """E[f(x1)^2] and E[|C f(x)|^2]."""
    function = function_of(activation)
    first, _, one, _ = _sphere(batch, _kink(function, gamma, beta))
    return float(one @ function.value(gamma * first + beta) ** 2), _batch_moments(activation, batch, gamma, beta)[1]


def _sphere(batch: int, kink: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Nodes and weights for two samples' values x1, x2 of one normalized unit; x2 given x1, shape (nodes, nodes).

    x1 = sqrt(B-1) sin a with density cos^(B-3) a; x2 = rho x1 + sqrt(1 - rho^2) sqrt(B-1) cos a sin b, density cos^(B-4) b.
    """
    radius, rho = math.sqrt(batch - 1), -1 / (batch - 1)
    reach = np.array(min(math.pi / 2, 1.2 * _REACH / radius))
    a, one = rule(_angle(kink / radius), reach)
    first, across = radius * np.sin(a), radius * math.sqrt(1 - rho**2) * np.cos(a)
    b, two = rule(_angle((kink - rho * first) / across), reach)
    one, two = one * np.cos(a) ** (batch - 3), two * np.cos(b) ** (batch - 4)
    second = rho * first[:, None] + across[:, None] * np.sin(b)
    return first, second, one / one.sum(), two / two.sum(axis=1, keepdims=True)


def _angle(sine: FloatArray) -> FloatArray:
    return np.where(np.abs(sine) < 1, np.arcsin(np.clip(sine, -1, 1)), np.inf)
