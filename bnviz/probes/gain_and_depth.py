"""How a fresh network's signal and gradient change with every layer, for many gains of the initial weights at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.probes._shared.initial_nets import INPUTS, READ_OUT, gaussian, network, passed

FloatArray = NDArray[np.float64]


def probe(
    *, norm: str, activation: str, gains: Sequence[float], depth: int, width: int, batch_size: int, seeds: int, seed: int = 0
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Send a signal up and a gradient down one stack of networks, before any training, one layer at a time.

    Networks of one seed share their standard normal draws, inputs and read-out at every gain.

    Args:
        norm: of every hidden layer.
        activation: of every hidden layer.
        gains: factors on He's standard deviation.
        depth: hidden layers, 2 or more.
        width: of every layer and of the inputs.
        batch_size: samples.
        seeds: networks of each gain.
        seed: of everything.

    Yields:
        (share done, values), each of shape (layers, gains, seeds), log10, NaN for what is to come: `signal`: root mean square
        of a layer's output over that of the inputs; `gradient`: norm of dL/dh_l over that of dL/dh_depth, which the
        read-out sets (L = sum(G * h), G standard normal, h the last layer's output). Infinite where float32 overflows.

    References:
        He et al. 2015, arXiv:1502.01852, section 2.2.
    """
    outputs, signal = _signals(norm, activation, gains, depth, width, batch_size, seeds, seed)
    shape = depth, len(gains), seeds
    gradient, size = np.full(signal.shape, np.nan), torch.zeros(len(gains) * seeds, dtype=torch.float64)
    arriving = gaussian(seed, range(seeds), READ_OUT, batch_size, width).repeat(len(gains), 1, 1)
    for layer in range(depth - 1, -1, -1):
        if layer < depth - 1:
            arriving, grown = _one_layer_down(outputs[layer], outputs[layer + 1], arriving)
            size = size + grown
        gradient[layer] = size.numpy()
        yield (depth - layer) / depth, {"signal": signal.reshape(shape), "gradient": gradient.copy().reshape(shape)}


def _signals(
    norm: str, activation: str, gains: Sequence[float], depth: int, width: int, batch_size: int, seeds: int, seed: int
) -> tuple[list[Tensor], FloatArray]:
    """All layers' outputs, (gains * seeds, batch, width), and log10 of their sizes, (layers, gains * seeds)."""
    per_trial = {"init_gain": [gain for gain in gains for _ in range(seeds)]}
    arm = {"norm": norm, "activation": activation, "depth": depth, "width": width, "per_trial": per_trial}
    inputs = gaussian(seed, range(seeds), INPUTS, batch_size, width).repeat(len(gains), 1, 1)
    outputs = passed(network(arm, width, seed, tuple(range(seeds)) * len(gains)), inputs).layer_output
    return outputs, torch.stack([_log_norm(output) - _log_norm(inputs) for output in outputs]).numpy()


def _one_layer_down(below: Tensor, above: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient that a layer passes to the one below, brought back to length 1, and log10 of its growth.

    Only the growth is kept, so that nothing over- or underflows however deep the net is.
    """
    unit = gradient / gradient.double().norm(dim=(1, 2), keepdim=True).to(gradient.dtype)
    (passed_on,) = torch.autograd.grad(above, below, unit, retain_graph=True)
    return passed_on, _log_norm(passed_on)


def _log_norm(values: Tensor) -> Tensor:
    """log10 of each trial's norm, (trials,); infinite for one that has over- or underflown."""
    logs = values.detach().double().flatten(1).norm(dim=1).log10()
    return torch.where(torch.isfinite(logs), logs, torch.inf)
