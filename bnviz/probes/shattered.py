"""Shattered gradients: how alike the gradients at neighbouring inputs are, after one layer, two, ... of a fresh network."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.measure.autocorrelation import autocorrelation
from bnviz.probes._shared.initial_nets import READ_OUT, gaussian, network, passed

FloatArray = NDArray[np.float64]
LINE = (-2.0, 2.0)  # the inputs are (1, t) for t along this line


def probe(
    *, arm: Mapping[str, Any], depths: Sequence[int], points: int, lags: int, trials: int, seed: int = 0
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Walk along a line of inputs and record df/dt, f a random linear read-out of a hidden layer.

    All points of the line are one batch. The constant feature 1 is the first layer's bias, without which a ReLU net
    would be linear on either side of t = 0.

    Args:
        arm: fields of `ArmConfig` (dense); its depth is at least that of the deepest read-out.
        depths: the hidden layers that are read out, from 1.
        points: on the line from -2 to 2, evenly spaced.
        lags: of the autocorrelation, in points; lag 0 is 1.
        trials: networks, passed as one stack.
        seed: of weights and read-outs.

    Yields:
        After each depth (share done, values), NaN for depths to come: `autocorrelation` (depths, trials, lags),
        `gradient` (depths, points) of the first network, divided by its root mean square.

    References:
        Balduzzi et al. 2017, The Shattered Gradients Problem, arXiv:1702.08591, figures 1 and 2.
    """
    t = torch.linspace(*LINE, points)
    inputs = torch.stack([torch.ones(points), t], dim=1).repeat(trials, 1, 1).requires_grad_()
    outputs = passed(network(arm, 2, seed, range(trials)), inputs).layer_output
    correlations, lines = np.full((len(depths), trials, lags), np.nan), np.full((len(depths), points), np.nan)
    for index, depth in enumerate(depths):
        output = outputs[depth - 1]
        read_out = gaussian(seed, range(trials), READ_OUT, 1, output.shape[2])
        slopes = torch.autograd.grad((output * read_out).sum(), inputs, retain_graph=True)[0][:, :, 1:]
        correlations[index] = autocorrelation(slopes, lags).numpy()
        lines[index] = slopes[0, :, 0] / slopes[0].square().mean().sqrt()
        yield (index + 1) / len(depths), {"autocorrelation": correlations.copy(), "gradient": lines.copy()}
