"""The arithmetic of normalization on a few numbers: every intermediate of the forward and the backward pass has a name.

    x -> forward -> mean, deviation, var, std, x_hat, y        (x: what the norm is given, y: what it returns)
    dy -> backward -> dbeta, dgamma, dx_hat, three terms, dx   (dy: dL/dy, from the layers above)

NumPy in float64, one line per formula, nothing fused: slow, and made to be read. `layout` says over which axes each norm
takes its mean and variance, so that the same two functions serve all of them.

References:
    Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithms 1 and 2 and section 3.
    Wu & He 2018, Group Normalization, arXiv:1803.08494, figure 2 (the axes).
    Zhang & Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
AxesName = Literal["batch", "layer", "instance", "group", "rms"]


@dataclass(frozen=True)
class Forward:
    """Every step of a forward pass; statistics keep their axes with length 1, so all of it broadcasts.

    `std` is sqrt(var + eps). `var` is the biased variance (1/n); for a norm that does not center it is the mean square,
    `mean` is 0 and `deviation` is x.
    """

    x: FloatArray
    gamma: FloatArray
    beta: FloatArray
    eps: float
    axes: tuple[int, ...]
    centered: bool
    mean: FloatArray
    deviation: FloatArray
    var: FloatArray
    std: FloatArray
    x_hat: FloatArray
    y: FloatArray

    @property
    def count(self) -> int:
        """Numbers that each mean is over."""
        return math.prod(self.x.shape[axis] for axis in self.axes)


@dataclass(frozen=True)
class Backward:
    """Every step of a backward pass; `dv` is dL/dv for each v.

    dx = (dx_hat - mean_term - var_term) / std: the gradient as if the statistics were constants, less what comes back
    through the mean, less what comes back through the variance. With detached statistics both terms are 0.
    """

    dy: FloatArray
    dbeta: FloatArray
    dgamma: FloatArray
    dx_hat: FloatArray
    mean_term: FloatArray
    var_term: FloatArray
    dx: FloatArray


@dataclass(frozen=True)
class Layout:
    """Over which axes a norm averages an array of shape (samples, channels, ...).

    Args:
        view: the shape in which to see the array; it differs for group norm, which splits the channels.
        axes: of the view, over which mean and variance are taken.
        affine: the shape of gamma and beta in the view.
        centered: whether the mean is subtracted.
    """

    view: tuple[int, ...]
    axes: tuple[int, ...]
    affine: tuple[int, ...]
    centered: bool = True

    @property
    def statistics(self) -> int:
        """How many means (or mean squares) there are."""
        return math.prod(length for axis, length in enumerate(self.view) if axis not in self.axes)

    @property
    def count(self) -> int:
        """Numbers that each of them is over."""
        return math.prod(self.view[axis] for axis in self.axes)


def layout(norm: AxesName, shape: tuple[int, ...], groups: int = 1) -> Layout:
    """Describe what `norm` averages over.

    Args:
        norm: batch: per channel, over samples and positions; layer, rms: per sample, over channels and positions;
            instance: per sample and channel, over positions; group: per sample and group of channels.
        shape: (samples, channels, *positions); (samples, features) of a dense layer has no positions.
        groups: of group norm; must divide the channels.

    Raises:
        ValueError: an unknown norm, no channels, groups that do not divide them, or instance norm without positions.
    """
    if len(shape) < 2:
        raise ValueError(f"shape {shape}: wanted (samples, channels, ...)")
    samples, channels, *positions = shape
    space, per_channel = tuple(range(2, len(shape))), (1, channels, *[1] * len(positions))
    if norm == "batch":
        return Layout(shape, (0, *space), per_channel)
    if norm in ("layer", "rms"):
        return Layout(shape, (1, *space), (1, *shape[1:]), centered=norm == "layer")
    if norm == "instance" and positions:
        return Layout(shape, space, per_channel)
    if norm == "group" and groups > 0 and channels % groups == 0:
        size = channels // groups
        view = (samples, groups, size, *positions)
        return Layout(view, tuple(range(2, len(view))), (1, groups, size, *[1] * len(positions)))
    raise ValueError(f"no layout for {norm} norm of shape {shape} with {groups} groups")


def forward(
    x: ArrayLike,
    gamma: ArrayLike = 1.0,
    beta: ArrayLike = 0.0,
    eps: float = 1e-5,
    *,
    axes: tuple[int, ...] = (0,),
    centered: bool = True,
) -> Forward:
    """Normalize x over `axes`, then scale by gamma and shift by beta: batch norm of (samples, features) as it stands.

    Args:
        x: any shape; finite.
        gamma: broadcasts against x; of length 1 in every axis along which it is shared.
        beta: likewise.
        eps: added to the variance, at least 0.
        axes: over which mean and variance are taken.
        centered: False divides by the root mean square and subtracts nothing (RMS norm).

    Raises:
        ValueError: a number that is not finite, no number at all, a negative eps, or 0/0: a variance of 0 with eps = 0.
    """
    x = _finite("x", x)
    gamma, beta = (_spread(name, value, x.ndim) for name, value in (("gamma", gamma), ("beta", beta)))
    if not eps >= 0:
        raise ValueError(f"eps {eps}: wanted 0 or more")
    mean = x.mean(axis=axes, keepdims=True) if centered else np.zeros_like(x.mean(axis=axes, keepdims=True))
    deviation = x - mean
    var = (deviation**2).mean(axis=axes, keepdims=True)
    std = np.sqrt(var + eps)
    if not std.all():
        raise ValueError("a variance of 0 with eps = 0: the normalized value would be 0/0")
    x_hat = deviation / std
    y = gamma * x_hat + beta
    return Forward(x, gamma, beta, eps, axes, centered, mean, deviation, var, std, x_hat, y)


def backward(done: Forward, dy: ArrayLike, *, detached: bool = False) -> Backward:
    """Go back from dL/dy to gamma, beta and x.

    Args:
        done: the forward pass.
        dy: dL/dy, of the shape of x.
        detached: True treats the statistics as constants, which they are not: the mistake that section 2 of
            Ioffe & Szegedy 2015 warns of.

    Raises:
        ValueError: dy has another shape than x or is not finite.
    """
    dy = _finite("dy", dy)
    if dy.shape != done.x.shape:
        raise ValueError(f"dy has shape {dy.shape}, x {done.x.shape}")
    dbeta = _sum_to(dy, done.beta.shape)
    dgamma = _sum_to(dy * done.x_hat, done.gamma.shape)
    dx_hat = done.gamma * dy
    mean_term = dx_hat.mean(axis=done.axes, keepdims=True) * float(done.centered and not detached)
    var_term = done.x_hat * (dx_hat * done.x_hat).mean(axis=done.axes, keepdims=True) * float(not detached)
    dx = (dx_hat - mean_term - var_term) / done.std
    return Backward(dy, dbeta, dgamma, dx_hat, np.broadcast_to(mean_term, dy.shape), var_term, dx)


def updated_running(
    running_mean: ArrayLike, running_var: ArrayLike, done: Forward, momentum: float
) -> tuple[FloatArray, FloatArray]:
    """Mix a batch's statistics into the running ones as PyTorch does: `momentum` is the weight of the new value.

    The running variance takes the unbiased variance, 1/(n-1); a single sample has none, so it keeps its value then.

    Returns:
        The new running mean and variance, of the shape of `done.mean`.
    """
    old_mean, old_var = np.asarray(running_mean, np.float64), np.asarray(running_var, np.float64)
    new_mean = (1 - momentum) * old_mean + momentum * done.mean
    if done.count == 1:
        return new_mean, np.broadcast_to(old_var, done.var.shape).copy()
    unbiased = done.var * done.count / (done.count - 1)
    return new_mean, (1 - momentum) * old_var + momentum * unbiased


def inference(
    x: ArrayLike, running_mean: ArrayLike, running_var: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Batch norm with running statistics: for every sample alone, y = scale x + shift.

    Returns:
        (scale, shift, y): scale = gamma / sqrt(running_var + eps), shift = beta - scale running_mean.

    Raises:
        ValueError: x is not finite, or running_var + eps is not above 0.
    """
    x = _finite("x", x)
    var = np.asarray(running_var, np.float64) + eps
    if not (var > 0).all():
        raise ValueError("running_var + eps must be above 0")
    scale = np.asarray(gamma, np.float64) / np.sqrt(var)
    shift = np.asarray(beta, np.float64) - scale * np.asarray(running_mean, np.float64)
    return scale, shift, scale * x + shift


def _finite(name: str, values: ArrayLike) -> FloatArray:
    array = np.array(values, np.float64)
    if not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name}: wanted finite numbers, at least one")
    return array


def _spread(name: str, values: ArrayLike, ndim: int) -> FloatArray:
    """As an array of `ndim` axes, so that a gradient can be summed back to it."""
    array = _finite(name, values)
    return array.reshape((1,) * (ndim - array.ndim) + array.shape)


def _sum_to(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Sum over the axes along which something of `shape` was broadcast."""
    axes = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return values.sum(axis=axes, keepdims=True)
