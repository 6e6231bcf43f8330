"""At inference batch norm is a fixed affine map: it folds into the linear layer before it. A trained net, both ways."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.nets import Activations, Stack
from bnviz.probes._shared.trained import random_rows, trained

POINTS = 33  # of the grid over one unit's pre-norm
REACH = 3.0  # of the grid, in running standard deviations
BATCHES = 200  # companions of a sample, for what training mode makes of it
FRAMES = 20
DTYPES = (torch.float32, torch.float64)


def probe(
    depth: int = 4, steps: int = 150, batch_size: int = 8, layer: int = 2, unit: int = 0, trials: int = 4, seed: int = 0
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Train, fold every batch norm into the weights before it, and compare with the layer as it is written down.

    a = gamma / sqrt(running_var + eps), c = beta - a running_mean; folded weight a W, folded bias a b + c.

    Args:
        depth: hidden layers.
        steps: updates in batches of 64.
        batch_size: of the batches around a sample in training mode, 2 or more.
        layer: whose map is drawn, from 1.
        unit: of that layer, from 0.
        trials: networks; the first one's unit is drawn.
        seed: of data and weights.

    Yields:
        Share done, and `x`, `eval`, `line`, shape (POINTS,): a grid of pre-norm values, what the layer makes of them at
        inference and a x + c; `training`, (POINTS, BATCHES), what it makes of them in batches of training samples (NaN
        for batches to come); `slope`, `shift`, (1,): a and c; `difference`, (2, depth, trials): largest difference
        between folded and unfolded pre-activations of the test set over the largest value, in float32 and float64;
        `agreement`, (trials,): share of the test set put into the same class by the folded net.
    """
    arm = ArmConfig(norm="batch", depth=depth)
    state, dataset = trained(RunConfig(arms=(arm,), trials=trials, seed=seed, steps=steps))
    net, inputs = state.arms[0].net, torch.from_numpy(dataset.test_inputs)
    compared = [_compare(net, inputs, dtype) for dtype in DTYPES]
    values = _map_of_unit(net, layer - 1, unit)
    values |= {"difference": np.stack([each[0] for each in compared]), "agreement": compared[0][1]}
    rows = random_rows(len(dataset.train_inputs), (BATCHES, batch_size - 1), seed)
    companions = _pre_norm(net, torch.from_numpy(dataset.train_inputs), layer - 1)[0, :, unit][rows]
    training = np.full((POINTS, BATCHES), np.nan)
    for part in np.array_split(np.arange(BATCHES), FRAMES):
        training[:, part] = _in_batches(net, layer - 1, unit, values["x"], companions[part])
        yield (part[-1] + 1) / BATCHES, {**values, "training": training.copy()}


def _affine(net: Stack, layer: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Slope a and shift c of a layer, each (trials, 1, units), worked out in `dtype`."""
    views, (mean, variance) = net.parameters.views, net.norms[layer].statistics()
    gamma, beta = (views[f"{name}{layer}"].detach().to(dtype) for name in ("gamma", "beta"))
    slope = gamma / torch.sqrt(variance.to(dtype).unsqueeze(1) + net.arm.norm_eps)
    return slope, beta - slope * mean.to(dtype).unsqueeze(1)


def _linear(net: Stack, layer: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear layer."""
    return tuple(net.parameters.views[f"{name}{layer}"].detach().to(dtype) for name in ("weight", "bias"))  # type: ignore[return-value]


def _compare(net: Stack, inputs: Tensor, dtype: torch.dtype) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(largest relative difference of every layer, (depth, trials); share of equal classes, (trials,))."""
    written = folded = inputs.to(dtype).expand(net.trials, -1, -1)
    differences = []
    for layer in range(net.arm.depth):
        weight, bias = _linear(net, layer, dtype)
        slope, shift = _affine(net, layer, dtype)
        written = _normalized(net, layer, torch.baddbmm(bias, written, weight))
        folded = torch.baddbmm(slope * bias + shift, folded, weight * slope)
        difference = (written - folded).abs().amax(dim=(1, 2)) / written.abs().amax(dim=(1, 2))
        differences.append(difference.double().numpy())
        written, folded = net.activation(written), net.activation(folded)
    weight, bias = _linear(net, net.arm.depth, dtype)
    classes = [torch.baddbmm(bias, values, weight).argmax(2) for values in (written, folded)]
    return np.array(differences), (classes[0] == classes[1]).double().mean(1).numpy()


def _normalized(net: Stack, layer: int, values: Tensor) -> Tensor:
    """Batch norm at inference as algorithm 2 of Ioffe & Szegedy writes it down: subtract, divide, scale, shift."""
    views, (mean, variance) = net.parameters.views, net.norms[layer].statistics()
    gamma, beta = (views[f"{name}{layer}"].detach().to(values.dtype) for name in ("gamma", "beta"))
    mean, variance = mean.to(values.dtype).unsqueeze(1), variance.to(values.dtype).unsqueeze(1)
    return gamma * ((values - mean) / torch.sqrt(variance + net.arm.norm_eps)) + beta


def _pre_norm(net: Stack, inputs: Tensor, layer: int) -> Tensor:
    """Pre-norm values of a layer at inference, (trials, batch, units)."""
    kept = Activations()
    with torch.no_grad():
        net.forward(inputs.expand(net.trials, -1, -1), "eval", kept)
    return kept.pre_norm[layer]


def _map_of_unit(net: Stack, layer: int, unit: int) -> dict[str, NDArray[np.float64]]:
    """The grid, the layer's own output on it at inference, and the straight line, for the first trial's unit."""
    mean, variance = (float(values[0, unit]) for values in net.norms[layer].statistics())
    x = torch.linspace(mean - REACH * variance**0.5, mean + REACH * variance**0.5, POINTS, dtype=torch.float32)
    grid = x.view(1, POINTS, 1).expand(net.trials, POINTS, net.arm.width)
    affine = [net.parameters.views[f"{name}{layer}"].detach() for name in net.norms[layer].affine]
    out = net.norms[layer](grid, affine, "eval")[0, :, unit].double().numpy()
    slope, shift = (float(values[0, 0, unit]) for values in _affine(net, layer, torch.float64))
    x = x.double().numpy()
    return {"x": x, "eval": out, "line": slope * x + shift, "slope": np.array([slope]), "shift": np.array([shift])}


def _in_batches(net: Stack, layer: int, unit: int, x: NDArray[np.float64], companions: Tensor) -> NDArray[np.float64]:
    """Output for each grid value in a batch with each set of companions, with the batch's statistics: (POINTS, sets)."""
    others = companions.double().numpy()
    gamma, beta = (float(net.parameters.views[f"{name}{layer}"].detach()[0, 0, unit]) for name in ("gamma", "beta"))
    batches = np.concatenate(
        [np.broadcast_to(x[:, None, None], (len(x), len(others), 1)), np.tile(others, (len(x), 1, 1))], axis=2
    )
    std = np.sqrt(batches.var(axis=2) + net.arm.norm_eps)
    return gamma * (x[:, None] - batches.mean(axis=2)) / std + beta
