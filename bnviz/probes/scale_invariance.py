"""Weights that feed a batch norm, made larger: their gradient, their growth, and the training with a rate to match."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from bnviz.config.models import ArmConfig, DatasetConfig, NormName, RunConfig
from bnviz.datasets import load
from bnviz.nets import Stack, build
from bnviz.training.batches import Batches

FloatArray = NDArray[np.float64]
NORMS: tuple[NormName, ...] = ("none", "batch")
FRAMES = 30


@dataclass
class _Twin:
    """A stack of which the hidden weights alone are trained, each trial with its own rate."""

    net: Stack
    rates: Tensor  # (trials, 1, 1)

    def __post_init__(self) -> None:
        self.names = self.net.weight_names
        self.weights = [self.net.parameters.views[name] for name in self.names]
        self.start = self.squares()
        self.added = torch.zeros_like(self.start)  # sum of rate^2 |g|^2
        self.radial = torch.zeros(self.net.trials, dtype=self.start.dtype)

    def squares(self) -> Tensor:
        """|W|^2 of each hidden layer, (trials, layers)."""
        return torch.stack([weight.detach().square().sum((1, 2)) for weight in self.weights], 1)

    def step(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Take a step; the loss before it, (trials,)."""
        logits = self.net.forward(inputs, "probe")
        losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape).mean(1)
        gradients = torch.autograd.grad(losses.sum(), self.weights)
        pairs = list(zip(self.weights, gradients, strict=True))
        cosines = [_cosine(weight.detach(), gradient) for weight, gradient in pairs]
        self.radial = torch.stack(cosines).amax(0)
        self.added += torch.stack([(self.rates * gradient).square().sum((1, 2)) for gradient in gradients], 1)
        with torch.no_grad():
            for weight, gradient in pairs:
                weight -= self.rates * gradient
        return losses.detach()


def probe(
    scales: Sequence[float] = (0.1, 1.0, 10.0),
    seeds: int = 3,
    depth: int = 3,
    width: int = 32,
    batch_size: int = 64,
    lr: float = 0.1,
    steps: int = 150,
    seed: int = 0,
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Train the hidden weights from `scale` times the same start, at the rate lr and at scale^2 lr, in float64 with eps = 0.

    Only the hidden weights are trained: gamma, beta and the read-out are not scale-invariant. Digits; the twins of one
    seed see the same batches.

    Args:
        scales: factors on all hidden weights; the first is compared with the others.
        seeds: networks of each scale.
        depth: hidden ReLU layers.
        width: units of a layer.
        batch_size: samples of a mini-batch.
        lr: learning rate at scale 1.
        steps: updates.
        seed: of data, weights and batches.

    Yields:
        Share done, and by norm (none, batch): `losses` (2 norms, 2 rates: scale^2 lr, lr; frames, scales, seeds), NaN where
        not reached and infinite where not finite any more; `radial` (2, frames, seeds): largest |<w, g>| / (|w| |g|) of
        a unit at scale 1; `growth` (2, 2, frames, seeds): |W|^2 of all hidden layers over its start at scale 1, as measured
        and as the start plus the sum of lr^2 |g|^2; `steps` (frames,).

    References:
        van Laarhoven 2017, L2 Regularization versus Batch and Weight Normalization, arXiv:1706.05350.
        Arora, Li & Lyu 2019, Theoretical Analysis of Auto Rate-Tuning by Batch Normalization, arXiv:1812.03981.
    """
    trials = [(scale, trial) for scale in scales for trial in range(seeds)]
    numbers = tuple(trial for _, trial in trials)
    run = RunConfig(trials=len(trials), trial_seeds=numbers, batch_size=batch_size, steps=steps, seed=seed)
    twins = {
        (i, j): _twin(norm, [scale for scale, _ in trials], squared, run, depth, width, lr)
        for i, norm in enumerate(NORMS)
        for j, squared in enumerate((True, False))
    }
    shown = sorted({round(step) for step in np.linspace(0, steps, FRAMES + 1)})
    record = _Record(len(shown), len(scales), seeds, scales.index(1.0) if 1.0 in scales else 0)
    for step, (inputs, labels) in zip(range(steps + 1), _batches(run), strict=False):
        before = {key: (twin.squares(), twin.added.clone()) for key, twin in twins.items() if step in shown}
        losses = {key: twin.step(inputs, labels) for key, twin in twins.items()}
        if before:
            for key, twin in twins.items():
                record.note(key, shown.index(step), losses[key], twin, *before[key])
            yield step / max(steps, 1), record.values() | {"steps": np.array(shown, np.float64)}


def _batches(run: RunConfig) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs (trials, batch, features) in float64 and labels (trials, batch) of one batch after the other, without end."""
    dataset = load(DatasetConfig(name="digits"), run.seed)
    inputs, labels = torch.from_numpy(dataset.train_inputs).double(), torch.from_numpy(dataset.train_labels)
    for chosen in Batches(run):
        yield inputs[chosen], labels[chosen]


class _Record:
    """What the probe yields, filled frame by frame."""

    def __init__(self, frames: int, scales: int, seeds: int, one: int) -> None:
        self.losses = np.full((2, 2, frames, scales, seeds), np.nan)
        self.radial = np.full((2, frames, seeds), np.nan)
        self.growth = np.full((2, 2, frames, seeds), np.nan)
        self.shape, self.one = (scales, seeds), one

    def note(self, key: tuple[int, int], frame: int, losses: Tensor, twin: _Twin, squares: Tensor, added: Tensor) -> None:
        """Enter one twin's values."""
        norm, rate = key
        values = losses.numpy().reshape(self.shape)
        self.losses[norm, rate, frame] = np.where(np.isfinite(values), values, np.inf)
        if rate == 0:
            start = twin.start.sum(1)
            self.radial[norm, frame] = self._at_one(twin.radial)
            self.growth[norm, 0, frame] = self._at_one(squares.sum(1) / start)
            self.growth[norm, 1, frame] = self._at_one((start + added.sum(1)) / start)

    def _at_one(self, values: Tensor) -> FloatArray:
        found = values.numpy().reshape(self.shape)[self.one]
        return np.where(np.isfinite(found), found, np.nan)

    def values(self) -> dict[str, FloatArray]:
        """A copy of all."""
        return {"losses": self.losses.copy(), "radial": self.radial.copy(), "growth": self.growth.copy()}


def _twin(norm: NormName, scales: Sequence[float], squared: bool, run: RunConfig, depth: int, width: int, lr: float) -> _Twin:
    """A stack whose hidden weights start at `scales` times those of scale 1."""
    arm = ArmConfig(norm=norm, depth=depth, width=width, norm_eps=0.0)
    net = build(arm, inputs=64, classes=10, trials=run.trials, seed=run.seed, trial_seeds=run.trial_seeds, dtype=torch.float64)
    factors = torch.tensor(scales, dtype=torch.float64).view(-1, 1, 1)
    with torch.no_grad():
        for name in net.weight_names:
            net.parameters.views[name].mul_(factors)
    return _Twin(net, lr * (factors**2 if squared else torch.ones_like(factors)))


def _cosine(weight: Tensor, gradient: Tensor) -> Tensor:
    """Largest |<w, g>| / (|w| |g|) of a unit, (trials,); 0 where g is 0."""
    lengths = torch.linalg.vector_norm(weight, dim=1) * torch.linalg.vector_norm(gradient, dim=1)
    return ((weight * gradient).sum(1).abs() / lengths).nan_to_num(0).amax(1)
