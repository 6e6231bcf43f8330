"""Weights that feed a batch norm under SGD with weight decay: where their norm settles and how far they turn in a step."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from bnviz.config.models import ArmConfig
from bnviz.nets import Stack, build

FloatArray = NDArray[np.float64]
FRAMES = 40
INPUTS, CLASSES = 32, 10


class _Means:
    """Means over the steps since `start` of a frame and over the units: |w|^4, |g_unit|^2 and the squared angle."""

    def __init__(self, trials: int) -> None:
        self.sums, self.count = torch.zeros(3, trials, dtype=torch.float64), 0

    def add(self, weight: Tensor, gradient: Tensor, after: Tensor) -> None:
        square = weight.square().sum(1)  # (trials, units)
        unit_gradient = gradient.square().sum(1) * square  # g at w / |w| is |w| g
        self.sums += torch.stack([value.mean(1) for value in (square**2, unit_gradient, _angle(weight, after) ** 2)])
        self.count += 1

    def take(self) -> FloatArray:
        """The means, (3, trials), and start anew."""
        found = (self.sums / self.count).numpy()
        self.sums, self.count = torch.zeros_like(self.sums), 0
        return found


def probe(
    decays: Sequence[float],
    lr: float = 0.2,
    gradient_scales: Sequence[float] = (1.0, 10.0),
    starts: Sequence[float] = (0.5, 2.0),
    seeds: int = 2,
    width: int = 24,
    batch_size: int = 16,
    steps: int = 2000,
    seed: int = 0,
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Train one hidden layer with batch norm on noise: Gaussian inputs, random labels, both new at every step.

    So the gradients have the same distribution at all times, which the closed forms assume. Only the hidden weights are
    trained and decayed; float64, eps = 0. Conditions: gradient scale 1 from each start, and each other gradient scale
    (a factor on the loss) from the first start.

    Args:
        decays: weight decays lambda.
        lr: learning rate; lr * lambda well below 1.
        gradient_scales: factors on the loss, the first is 1.
        starts: factors on the initial weights.
        seeds: networks of each condition and decay.
        width: hidden units.
        batch_size: samples of a batch.
        steps: updates.
        seed: of weights and data.

    Yields:
        Share done, and by condition, decay and seed, with one entry per frame (means over its steps and the units):
        `fourth` E|w|^4, `gradient` E|g|^2 of the gradient at w / |w|, `angle` the root mean square angle in radians;
        each (conditions, frames, decays, seeds), NaN where not reached; `conditions` (conditions, 2): gradient scale,
        start; `steps` (frames,), the last of each frame.

    References:
        van Laarhoven 2017, arXiv:1706.05350, section 3; Wan et al. 2020, Spherical Motion Dynamics, arXiv:2006.08419.
    """
    conditions = [(gradient_scales[0], start) for start in starts] + [(scale, starts[0]) for scale in gradient_scales[1:]]
    grid = [(*condition, decay, trial) for condition in conditions for decay in decays for trial in range(seeds)]
    factor, start, decay = (torch.tensor(column, dtype=torch.float64) for column in list(zip(*grid, strict=True))[:3])
    net = _net([trial for *_, trial in grid], start, width, seed)
    weight = net.parameters.views["weight0"]
    draws = torch.Generator().manual_seed(seed)
    means, shape = _Means(len(grid)), (len(conditions), len(decays), seeds)
    ends = sorted({round(end) for end in np.linspace(0, steps, FRAMES + 1)} - {0})
    found = np.full((3, len(conditions), len(ends), len(decays), seeds), np.nan)
    for step in range(1, steps + 1):
        gradient = _gradient(net, weight, factor, batch_size, draws)
        before = weight.detach().clone()
        with torch.no_grad():
            weight.copy_(before - lr * (gradient + decay.view(-1, 1, 1) * before))
        means.add(before, gradient, weight.detach())
        if step in ends:
            found[:, :, ends.index(step)] = means.take().reshape(3, *shape)
            values = {"fourth": found[0].copy(), "gradient": found[1].copy(), "angle": np.sqrt(found[2])}
            yield step / steps, values | {"conditions": np.array(conditions), "steps": np.array(ends, np.float64)}


def _net(trial_seeds: Sequence[int], start: Tensor, width: int, seed: int) -> Stack:
    arm = ArmConfig(norm="batch", depth=1, width=width, activation="tanh", norm_eps=0.0)
    net = build(arm, inputs=INPUTS, classes=CLASSES, trials=len(trial_seeds), seed=seed, trial_seeds=trial_seeds,
                dtype=torch.float64)  # fmt: skip
    with torch.no_grad():
        net.parameters.views["weight0"].mul_(start.view(-1, 1, 1))
    return net


def _gradient(net: Stack, weight: Tensor, factor: Tensor, batch_size: int, draws: torch.Generator) -> Tensor:
    """Gradient of the loss of a new batch, the same for all trials."""
    inputs = torch.randn(batch_size, INPUTS, generator=draws, dtype=torch.float64).expand(net.trials, -1, -1)
    labels = torch.randint(CLASSES, (batch_size,), generator=draws).expand(net.trials, -1)
    losses = cross_entropy(net.forward(inputs, "probe").flatten(0, 1), labels.flatten(), reduction="none")
    loss = losses.view(labels.shape).mean(1)
    return torch.autograd.grad((factor * loss).sum(), weight)[0]


def _angle(before: Tensor, after: Tensor) -> Tensor:
    """Angle between the units' weights, (trials, units); precise for small ones, unlike the arc cosine."""
    u, v = (values / torch.linalg.vector_norm(values, dim=1, keepdim=True) for values in (before, after))
    return 2 * torch.atan2(torch.linalg.vector_norm(u - v, dim=1), torch.linalg.vector_norm(u + v, dim=1))
