"""How running statistics find their way from their start values: a batch norm layer and batches of known statistics."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.config.models import ArmConfig
from bnviz.nets.norms.batch import BatchNorm

FRAMES = 40


def probe(
    momenta: Sequence[float],
    updates: int = 200,
    batch_size: int = 32,
    mean: float = 3.0,
    std: float = 2.0,
    units: int = 64,
    trials: int = 6,
    seed: int = 0,
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Feed Gaussian batches to a layer and measure which share of the way its running statistics still have to go.

    The share of the mean is (running_mean - mean) / (0 - mean), that of the variance
    (running_var - std^2) / (1 - std^2), both averaged over the units of a layer.

    Args:
        momenta: m, weights of the new value, one layer each; all layers are given the same batches.
        updates: batches.
        batch_size: samples of a batch, 2 or more.
        mean: of the Gaussian inputs; not the start value 0.
        std: of the Gaussian inputs; not the start value 1.
        units: of a layer, with the same statistics.
        trials: layers of each momentum, for the uncertainty.
        seed: of the inputs.

    Yields:
        Share done, and `mean_error`, `var_error`, shape (momenta, updates + 1, trials), and `mean_noise`, of the same
        shape: variance of the running mean over the units, in units of std^2 / batch_size. NaN for updates to come.

    Raises:
        ValueError: a mean of 0 or a std of 1: there would be no way to go.
    """
    if mean == 0 or std == 1:
        raise ValueError(f"mean, std: received {mean}, {std}, allowed: a mean other than 0, a std other than 1")
    layers = [BatchNorm(ArmConfig(norm="batch", norm_momentum=momentum), trials, units, torch.float64) for momentum in momenta]
    affine = [torch.ones(trials, 1, units, dtype=torch.float64), torch.zeros(trials, 1, units, dtype=torch.float64)]
    stream = torch.Generator().manual_seed(seed)
    shape, every = (len(momenta), updates + 1, trials), max(updates // FRAMES, 1)
    values = {name: np.full(shape, np.nan) for name in ("mean_error", "var_error", "mean_noise")}
    for update in range(updates + 1):
        for row, layer in enumerate(layers):
            values["mean_error"][row, update] = ((layer.running_mean.mean(1) - mean) / -mean).numpy()
            values["var_error"][row, update] = ((layer.running_var.mean(1) - std**2) / (1 - std**2)).numpy()
            values["mean_noise"][row, update] = (layer.running_mean.var(1) / (std**2 / batch_size)).numpy()
        if update % every == 0 or update == updates:
            yield update / updates, {name: array.copy() for name, array in values.items()}
        batch = mean + std * torch.randn(trials, batch_size, units, dtype=torch.float64, generator=stream)
        for layer in layers:
            layer(batch, affine, "train")
