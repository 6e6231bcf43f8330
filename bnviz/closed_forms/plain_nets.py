"""Closed forms for signals and gradients through a plain net at initialization: a net without a norm. No torch.

References:
    Cho & Saul 2009, Kernel Methods for Deep Learning (the map J).
    Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse, arXiv:2003.01652.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.closed_forms.functions import SLOPES_BELOW_ZERO
from bnviz.registry.activations import ActivationName

FloatArray = NDArray[np.float64]


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
    if activation not in SLOPES_BELOW_ZERO:
        raise ValueError(f"activation: received {activation}, allowed: {', '.join(SLOPES_BELOW_ZERO)}")
    return weight_variance * width * (1 + SLOPES_BELOW_ZERO[activation] ** 2) / 2


def plain_gradient_correlation(angle: ArrayLike, depth: int) -> FloatArray:
    """Correlation of the gradients dL/dx of a wide ReLU net without a norm at two inputs `angle` (radians) apart.

    `angle` may have any shape; the result has the same.

    A layer's units see both inputs on their active side with probability 1/2 - angle/(2 pi), so each layer keeps the
    share 1 - angle/pi; then J takes the angle to the next layer's. Inputs that stay at a right angle, as batch norm
    keeps them, would give 1/2 per layer: 2^-depth.

    References:
        Cho & Saul 2009 (arc-cosine kernels of degree 0 and 1); Balduzzi et al. 2017, theorem 1, arXiv:1702.08591.
    """
    angles = np.asarray(angle, np.float64)
    share = np.ones_like(angles)
    for _ in range(depth):
        share = share * (1 - angles / math.pi)
        cosine = np.cos(angles)
        angles = np.arccos(np.clip((np.sqrt(1 - cosine**2) + cosine * (math.pi - angles)) / math.pi, -1, 1))
    return share


def plain_line_autocorrelation(line: ArrayLike, depth: int) -> FloatArray:
    """Autocorrelation of df/dt along inputs (1, t) of a wide ReLU net without a norm or bias, by lag, lag 0 first.

    The ratio of the expected sums in the usual estimate, with the mean along the line subtracted; f reads out a
    hidden layer by random numbers.

    Args:
        line: evenly spaced values of t.
        depth: hidden layers that the gradient passes.
    """
    slopes = np.arctan(np.asarray(line, np.float64))
    kernel = plain_gradient_correlation(np.abs(slopes[:, None] - slopes[None, :]), depth)
    centred = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
    sums = np.array([np.trace(centred, lag) for lag in range(len(slopes))])
    return sums / sums[0]
