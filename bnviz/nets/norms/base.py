"""What every normalization of a stack of dense layers has in common."""

from abc import ABC, abstractmethod
from copy import copy
from typing import Literal, Self

import torch
from torch import Tensor

from bnviz.config import ArmConfig

Mode = Literal["train", "probe", "eval"]
# train: statistics of the batch, running statistics updated; probe: the same, nothing updated; eval: running statistics


class Norm(ABC):
    """A normalization layer for (trials, batch, units); its affine parameters live in the arm's flat tensor.

    Args:
        arm: the arm's settings (`norm_eps`, `norm_momentum`, `group_count`).
        trials, width: stacked networks and units of the layer.
        dtype: of the running statistics.
    """

    affine: tuple[str, ...] = ("gamma", "beta")

    def __init__(self, arm: ArmConfig, trials: int, width: int, dtype: torch.dtype) -> None:
        self.eps, self.momentum, self.group_count = arm.norm_eps, arm.norm_momentum, arm.group_count
        self.trials, self.width, self.dtype = trials, width, dtype

    def initial_parameters(self) -> dict[str, Tensor]:
        """Start gamma at 1 and beta at 0 for every unit, each (trials, 1, units)."""
        shape = (self.trials, 1, self.affine_size())
        start = {"gamma": torch.ones, "beta": torch.zeros}
        return {name: start[name](shape, dtype=self.dtype) for name in self.affine}

    def affine_size(self) -> int:
        """Entries of gamma and of beta in one network."""
        return self.width

    @abstractmethod
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        """Normalize `values`, shape (trials, batch, units); `affine` holds the parameters named in `affine`."""

    def folded(self, affine: list[Tensor]) -> tuple[Tensor, Tensor] | None:
        """Scale and shift, each (trials, 1, units), that eval mode comes to; None for a norm that looks at the sample."""
        return None

    def statistics(self) -> list[Tensor]:
        """Running statistics, each (trials, units); none for a norm that keeps none."""
        return []

    def first(self, trials: int) -> Self:
        """The same layer for the first networks of the stack only, sharing memory."""
        part = copy(self)
        part.trials = trials
        return part

    def reset(self, trials: Tensor) -> None:  # noqa: B027 - most norms keep nothing
        """Forget what was accumulated for the given trials (bool, shape (trials,))."""
