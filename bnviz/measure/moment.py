"""What is measured, as it is handed in: a step of a run, one arm of it, and that arm with what measurements need besides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import Dataset
from bnviz.nets import Stack


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
    frozen: Tensor | None  # which of the flat parameters belong to diverged trials

    @property
    def lr(self) -> float | Tensor:
        """One learning rate, or one for each parameter."""
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


@dataclass(frozen=True, slots=True)
class Moment:
    """One arm in the middle of one step: parameters after `step` updates, the gradients of the batch that comes next.

    An extra may call `arm.net.forward` in mode "probe" and autograd. It changes nothing: no parameter, no running
    statistic, no random stream, no state of the optimizer.
    """

    arm: Arm
    inputs: Tensor  # of the step's batch, (trials, batch, features)
    labels: Tensor  # of the step's batch, (trials, batch)
    probe: Tensor  # the fixed probe batch, (trials, samples, features)
    config: RunConfig
    step: int
    dataset: Dataset
