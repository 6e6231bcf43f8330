"""What every normalization of a stack of layers has in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Literal, Self

import torch
from torch import Tensor

from bnviz.config.models import ArmConfig
from bnviz.nets.initialization import Streams

Mode = Literal["train", "probe", "eval"]
# train: statistics of the batch, running statistics updated; probe: the same, nothing updated; eval: running statistics


class Norm(ABC):
    """A normalization layer for (trials, batch, units), or (trials, batch, channels, positions) of a convolution.

    Its affine parameters live in the arm's flat tensor: one gamma and beta per unit or channel.

    Args:
        arm: the arm's settings (`norm_eps`, `norm_momentum`, `group_count`, `gamma_init`, `beta_init`).
        trials, width: stacked networks and units (or channels) of the layer.
        dtype: of the running statistics.
        positions: of a channel; 1 for a dense layer, which has no axis for them.
    """

    affine: tuple[str, ...]  # names of its parameters; its entry sets it

    def __init__(self, arm: ArmConfig, trials: int, width: int, dtype: torch.dtype, positions: int = 1) -> None:
        self.eps, self.momentum, self.group_count = arm.norm_eps, arm.norm_momentum, arm.group_count
        self.start = {"gamma": arm.gamma_init, "beta": arm.beta_init}
        self.trials, self.width, self.dtype, self.positions = trials, width, dtype, positions

    def initial_parameters(self) -> dict[str, Tensor]:
        """Gamma and beta at the arm's initial values (1 and 0, usually) for every unit, each (trials, 1, units)."""
        shape = (self.trials, 1, self.affine_size())
        return {name: torch.full(shape, self.start[name], dtype=self.dtype) for name in self.affine}

    def affine_size(self) -> int:
        """Entries of gamma and of beta in one network."""
        return self.width

    @abstractmethod
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        """Normalize `values`; `affine` holds the parameters named in `affine`, each (trials, 1, units)."""

    def scaled(self, normalized: Tensor, affine: list[Tensor]) -> Tensor:
        """Gamma * normalized + beta, each unit or channel of (trials, batch, units or channels, ...) by its own."""
        gamma, beta = (part.unsqueeze(-1) for part in affine) if normalized.ndim == 4 else affine
        return torch.addcmul(beta, normalized, gamma)

    def folded(self, affine: list[Tensor]) -> tuple[Tensor, Tensor] | None:
        """Scale and shift, each (trials, 1, units), that eval mode amounts to; None for a norm that looks at the sample."""
        return None

    def statistics(self) -> list[Tensor]:
        """Running statistics, each (trials, units); none for a norm that keeps none."""
        return []

    def draw_from(self, seed: int, trial_seeds: Sequence[int], layer: int) -> None:  # noqa: B027 - most norms draw nothing
        """Take the seeds of the random numbers that the norm adds, if it does."""

    def random_streams(self) -> list[Streams]:
        """What it draws those from; none for a norm that draws nothing."""
        return []

    def first(self, trials: int) -> Self:
        """The same layer for the first networks of the stack only, sharing memory."""
        part = copy(self)
        part.trials = trials
        return part

    def reset(self, trials: Tensor) -> None:  # noqa: B027 - most norms keep nothing
        """Forget what was accumulated for the given trials (bool, shape (trials,))."""
