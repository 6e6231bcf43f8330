"""Gradients through depth in fresh networks: what each layer's pre-norm and output receive from a random read-out."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.probes._shared.initial_nets import INPUTS, READ_OUT, gaussian, network, passed

FloatArray = NDArray[np.float64]


def probe(
    *, arm: Mapping[str, Any], batch_size: int, trials: int, seed: int = 0, features: int = 64
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Send a gradient back through one fresh network after the other, before any training.

    The loss is sum(G * h), h the last hidden layer's output and G standard normal numbers, one for each unit and sample;
    the inputs are standard normal too. So nothing but the layers shapes the gradient.

    Args:
        arm: fields of `ArmConfig` (dense): norm, depth, width, activation, residual, gamma_init, beta_init ...
        batch_size: samples of the batch.
        trials: networks.
        seed: of inputs, weights and read-outs.
        features: of an input.

    Yields:
        After each network (share done, values), all of shape (trials, layers), NaN for networks to come:
        `pre_norm`: squared norm of dL/dy (y = Wx + b); `output`: of dL/dh (h: what the layer hands on);
        `branch_variance` and `skip_variance`: variance over the batch, averaged over units, of what a layer
        computes and of what it hands on (with a residual connection the sum of all branches so far).

    References:
        Yang et al. 2019, arXiv:1902.08129; De & Smith 2020, arXiv:2002.10444 (variances).
    """
    values: dict[str, FloatArray] = {}
    for trial in range(trials):
        for name, row in _measure(arm, batch_size, trial, seed, features).items():
            values.setdefault(name, np.full((trials, len(row)), np.nan))[trial] = row
        yield (trial + 1) / trials, {name: array.copy() for name, array in values.items()}


def _measure(arm: Mapping[str, Any], batch_size: int, trial: int, seed: int, features: int) -> dict[str, list[float]]:
    net = network(arm, features, seed, [trial])
    kept = passed(net, gaussian(seed, [trial], INPUTS, batch_size, features))
    last = kept.layer_output[-1]
    read_out = gaussian(seed, [trial], READ_OUT, *last.shape[1:])
    depth = len(kept.pre_norm)
    gradients = torch.autograd.grad((last * read_out).sum(), [*kept.pre_norm, *kept.layer_output])
    squares = [float(gradient.double().square().sum()) for gradient in gradients]
    branches = kept.post_activation if net.arm.norm_placement == "before_activation" else kept.pre_norm
    variance = {
        name: [float(tensor.detach().var(dim=1, correction=0).mean()) for tensor in tensors]
        for name, tensors in (("branch_variance", branches), ("skip_variance", kept.layer_output))
    }
    return {"pre_norm": squares[:depth], "output": squares[depth:], **variance}
