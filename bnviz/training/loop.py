"""The training loop: all arms side by side on the same batches, as an iterator of states.

    train(config, dataset) -> TrainingState at each measured step -> ...

Nothing is measured, sent or drawn here. A state is seen in the middle of its step: parameters after
`step` updates, with the gradients of the batch that comes next, before the update that they cause.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import Dataset
from bnviz.nets import Activations, build
from bnviz.registry.optimizers import OPTIMIZERS
from bnviz.training.batches import Batches
from bnviz.training.optimizers.base import Optimizer, Setting

DIVERGED_LOSS = 1e6  # a trial whose loss is NaN, infinite or above this is frozen; before its first step, infinite or NaN only


class ArmState:
    """One arm while it trains: its stack, its optimizer, and what the current step computed."""

    def __init__(self, arm: ArmConfig, config: RunConfig, dataset: Dataset, dtype: torch.dtype) -> None:
        features = dataset.train_inputs.shape[1]
        self.arm = arm
        self.net = build(
            arm,
            inputs=features,
            classes=dataset.class_count,
            trials=config.trials,
            seed=config.seed,
            trial_seeds=config.trial_seeds,
            dtype=dtype,
        )
        self.optimizer: Optimizer = OPTIMIZERS[arm.optimizer].load()(arm, self.net.parameters)
        self.diverged_at = torch.full((config.trials,), -1, dtype=torch.int32)
        self.diverged = torch.zeros(config.trials, dtype=torch.bool)
        self.frozen: Tensor | None = None  # which of the flat parameters belong to diverged trials; None while there are none
        self.logits = self.loss = self.direction = self.gradient = torch.empty(0)
        self.pre_norm_gradients: list[Tensor] = []

    @property
    def lr(self) -> Setting:
        """Of the optimizer: one number, or one for each parameter."""
        return self.optimizer.lr

    def forward(self, inputs: Tensor, labels: Tensor, keep: Activations | None) -> Tensor:
        """Mean cross-entropy of the batch for each trial, shape (trials,)."""
        self.logits = self.net.forward(inputs, "train", keep)
        losses = cross_entropy(self.logits.flatten(0, 1), labels.flatten(), reduction="none")
        self.loss = losses.view(labels.shape).mean(1)
        return self.loss

    def freeze(self, step: int, lost: Tensor) -> None:
        """Note the trials `lost` (bool) as diverged at `step` and put finite values in their place.

        A frozen trial is kept in the stack, at its initial weights and with its updates zeroed: the others then
        see the same operations on the same shapes, and their bits do not depend on who diverged.
        """
        self.diverged_at[lost] = step
        self.diverged |= lost
        self.frozen = self.net.parameters.spread(self.diverged)
        self.net.reset(lost)
        self.optimizer.reset(self.frozen)

    def turn(self, gradients: list[Tensor]) -> None:
        """Turn the gradients, each (trials, ...) as its parameter, into the direction of the step; frozen trials stay."""
        self.gradient = self.net.parameters.flatten(gradients)
        if self.frozen is not None:
            self.gradient[self.frozen] = 0
        self.direction = self.optimizer.direction(self.gradient)
        if self.frozen is not None:
            self.direction[self.frozen] = 0


@dataclass(slots=True)
class TrainingState:
    """All arms in the middle of one step."""

    step: int
    labels: Tensor  # of the step's batch, (trials, batch)
    inputs: Tensor  # of the step's batch, (trials, batch, features)
    arms: list[ArmState]


class Trainer:
    """Trains the arms of a run together.

    Args:
        config: the run.
        dataset: as `bnviz.datasets.load` returns it.
        dtype: float32; float64 to compare with a reference.
    """

    def __init__(self, config: RunConfig, dataset: Dataset, dtype: torch.dtype = torch.float32) -> None:
        self.config = config
        self.inputs = torch.from_numpy(dataset.train_inputs).to(dtype)
        self.labels = torch.from_numpy(dataset.train_labels)
        self.batches = Batches(config, self.labels)
        self.arms = [ArmState(arm, config, dataset, dtype) for arm in config.arms]

    def states(self, at: Collection[int]) -> Iterator[TrainingState]:
        """Train to the last step and yield at the steps in `at`; ends early when every trial has diverged."""
        wanted, last = frozenset(at), self.config.steps
        for step, chosen in zip(range(last + 1), self.batches, strict=False):
            seen = step in wanted
            if step == last and not seen:
                return
            inputs, labels = self.inputs[chosen], self.labels[chosen]
            before = [arm.net.statistics() for arm in self.arms] if seen else []
            self._gradients(step, inputs, labels, seen)
            if seen:
                after = [arm.net.statistics() for arm in self.arms]
                self._restore(before)  # a state has the running statistics of `step` batches, not of one more
                yield TrainingState(step, labels, inputs, self.arms)
                if step == last or all(bool(arm.diverged.all()) for arm in self.arms):
                    return
                self._restore(after)
            for arm in self.arms:
                arm.optimizer.apply(arm.direction)

    def _restore(self, statistics: list[list[Tensor]]) -> None:
        for arm, values in zip(self.arms, statistics, strict=True):
            arm.net.restore_statistics(values)

    def _gradients(self, step: int, inputs: Tensor, labels: Tensor, keep: bool) -> None:
        """One forward pass an arm, one backward pass for all, and the direction of each arm's step."""
        kept = [Activations() if keep else None for _ in self.arms]
        losses = torch.stack([arm.forward(inputs, labels, k) for arm, k in zip(self.arms, kept, strict=True)])
        leaves = [list(arm.net.parameters.views.values()) for arm in self.arms]
        tensors = [*chain.from_iterable(leaves), *(tensor for k in kept if k for tensor in k.pre_norm)]
        gradients = list(torch.autograd.grad(losses.sum(), tensors))
        self._find_diverged(step, losses.detach())
        for arm, own in zip(self.arms, leaves, strict=True):
            arm.turn(gradients[: len(own)])
            del gradients[: len(own)]
        for arm, k in zip(self.arms, kept, strict=True):
            layers = len(k.pre_norm) if k else 0
            arm.pre_norm_gradients, gradients = gradients[:layers], gradients[layers:]

    def _find_diverged(self, step: int, losses: Tensor) -> None:
        """Freeze the trials whose loss is no longer a sane number. losses: (arms, trials)."""
        sane = losses < (DIVERGED_LOSS if step else torch.inf)  # false for NaN too
        if bool(sane.all()):
            return
        for arm, fine in zip(self.arms, sane, strict=True):
            lost = ~fine & ~arm.diverged
            if bool(lost.any()):
                arm.freeze(step, lost)
