"""Shattered gradients: whether neighbouring inputs still have similar gradients."""

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.nets import Stack
from bnviz.registry.measures import MeasureEntry

POINTS = 128  # on the line
LAGS = 32


def autocorrelation(series: Tensor, lags: int = LAGS) -> Tensor:
    """Autocorrelation of a series of vectors: (trials, points, features) -> (trials, lags), lag 0 first, which is 1.

    r(k) = sum_j <g_j - m, g_(j+k) - m> / sum_j |g_j - m|^2, m the mean of the series; the usual biased estimate.
    White noise gives about 0 (-1/points) at every lag but the first. NaN for a constant series.

    Raises:
        ValueError: as many lags as points, or more.
    """
    points = series.shape[1]
    if lags >= points:
        raise ValueError(f"lags: got {lags}, allowed are fewer than the {points} points of the series")
    centred = series.double() - series.double().mean(1, keepdim=True)
    power = centred.square().sum((1, 2))
    sums = [(centred[:, : points - k] * centred[:, k:]).sum((1, 2)) for k in range(lags)]
    return (torch.stack(sums, 1) / power.unsqueeze(1)).masked_fill((power == 0).unsqueeze(1), torch.nan)


def input_line(first: Tensor, second: Tensor, points: int = POINTS) -> Tensor:
    """Evenly spaced points from one input to another, (..., features) twice -> (..., points, features)."""
    share = torch.linspace(0, 1, points, dtype=first.dtype).unsqueeze(1)
    return first.unsqueeze(-2) * (1 - share) + second.unsqueeze(-2) * share


def input_gradients(net: Stack, inputs: Tensor) -> Tensor:
    """dL/dx at each input of one batch, (trials, points, features), L being the sum of the first logit over the batch.

    A linear read-out instead of the cross-entropy, so that only the net's own Jacobian counts. With batch statistics over
    the batch, whose points therefore see each other.
    """
    inputs = inputs.detach().clone().requires_grad_()
    return torch.autograd.grad(net.forward(inputs, "probe")[..., 0].sum(), inputs)[0]


@MeasureEntry(
    name="autocorrelation",
    wants=("passes",),
    source="Balduzzi et al. 2017, The Shattered Gradients Problem, arXiv:1702.08591, figures 1 and 2",
    caveat="NaN where the gradient is the same all along the line",
    own_axes={"lag": 32},
    results={
        "autocorrelation": {
            "definition": "of dL/dx along the straight line between the first two probe samples, 128 points, lags 0 to 31; L is"
            " the sum of the first logit",
            "unit": "correlation",
            "axes": ("trial", "lag"),
        },
    },
)
def measure_autocorrelation(moment: Moment) -> Results:
    """`autocorrelation` of dL/dx along the straight line between the first two samples of the probe batch."""
    line = input_line(moment.probe[:, 0], moment.probe[:, 1])
    return {"autocorrelation": autocorrelation(input_gradients(moment.arm.net, line))}
