"""What is measured, as it is handed in: a step of a run, one arm of it, and that arm with what measurements share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import Dataset
from bnviz.measure.distributions import Distributions
from bnviz.measure.probed import Probed
from bnviz.nets import Activations, Stack

Results = Mapping[str, Tensor | NDArray[Any]]  # of a measurement, by name; with the axes that it declares


class Arm(Protocol):
    """One arm in the middle of a step, as `bnviz.training.loop` has it."""

    arm: ArmConfig
    net: Stack
    logits: Tensor  # of the step's batch, (trials, batch, classes)
    loss: Tensor  # (trials,)
    gradient: Tensor  # of all parameters, of the shape of `net.parameters.flat`
    direction: Tensor  # of the step, of the same shape
    pre_norm_gradients: list[Tensor]  # one a hidden layer, each (trials, batch, units)
    diverged_at: Tensor  # int32, (trials,): -1 while it has not
    diverged: Tensor  # bool, (trials,)

    @property
    def lr(self) -> float | Tensor:
        """One learning rate, or one for each parameter, of the shape of the flat parameters."""
        ...


class State(Protocol):
    """All arms in the middle of one step."""

    step: int
    labels: Tensor  # of the step's batch, (trials, batch)
    inputs: Tensor  # of the step's batch, (trials, batch, features)

    @property
    def arms(self) -> Sequence[Arm]:
        """In the order of the configuration."""
        ...


@dataclass(frozen=True)
class Moment:
    """One arm in the middle of one step: parameters after `step` updates, the gradients of the batch that comes next.

    The cached properties are what several measurements read; each is worked out when one first does. The probe batch passes
    with batch statistics and without dropout.

    A measurement may call `arm.net.forward` in mode "probe" and autograd. It changes nothing: no parameter, no running
    statistic, no random stream, no state of the optimizer.
    """

    arm: Arm
    inputs: Tensor  # of the step's batch, (trials, batch, features)
    labels: Tensor  # of the step's batch, (trials, batch)
    probe: Tensor  # the fixed probe batch, (trials, samples, features)
    config: RunConfig
    step: int
    dataset: Dataset
    shown: int = 1  # the first so many trials have their distributions recorded
    memory: dict[str, Any] = field(default_factory=dict)  # of this arm, from one measured step to the next

    @cached_property
    def lost(self) -> NDArray[np.bool_] | None:
        """Which trials have diverged, (trials,); None while none has."""
        lost = self.arm.diverged.numpy()
        return lost if lost.any() else None

    @cached_property
    def test_logits(self) -> Tensor:
        """Logits of the test set with running statistics, (trials, samples, classes)."""
        inputs = torch.from_numpy(self.dataset.test_inputs).expand(self.config.trials, -1, -1)
        with torch.inference_mode():
            return self.arm.net.forward(inputs, "eval")

    @property
    def test_labels(self) -> Tensor:
        """Of the test set, (trials, samples)."""
        return torch.from_numpy(self.dataset.test_labels).expand(self.config.trials, -1)

    @cached_property
    def activations(self) -> Activations:
        """The hidden layers' tensors of the probe batch."""
        kept = Activations()
        with torch.inference_mode():
            self.arm.net.hidden(self.probe, "probe", kept)
        return kept

    @cached_property
    def probed(self) -> Probed:
        """The same, stacked."""
        with torch.inference_mode():
            return Probed.of(self.activations)

    @cached_property
    def distributions(self) -> Distributions:
        """The same of the shown trials, each layer's entries in a row."""
        return Distributions.of(self.probed, self.shown)

    @cached_property
    def percentiles(self) -> dict[str, NDArray[np.float32]]:
        """Of each of TENSORS, (shown, layers, len(PERCENTILES)); NaN where a net has overflowed."""
        return self.distributions.percentiles()

    def drop(self, names: Iterable[str]) -> None:
        """Let go of cached properties that are no longer wanted."""
        for name in names:
            self.__dict__.pop(name, None)

    def last_time(self, name: str, now: Any) -> Any:
        """What was handed in under this name at the arm's measured step before, None at the first; `now` is for the next one."""
        before = self.memory.get(name)
        self.memory[name] = now
        return before
