"""Stochastic gradient descent, plain or with momentum."""

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.config.models import ArmConfig
from bnviz.nets.parameters import FlatParameters
from bnviz.registry.optimizers import OptimizerEntry
from bnviz.training.optimizers.base import Optimizer, setting


@OptimizerEntry(
    name="sgd",
    place=10,
    label="SGD",
    formula="b <- momentum b + g; w <- w - lr b",
    source="Robbins & Monro 1951; momentum: Polyak 1964",
    momentum=True,
    momentum_copies=1,
)
class SGD(Optimizer):
    """buffer <- momentum * buffer + gradient; the step is lr * buffer, as in `torch.optim.SGD`."""

    def __init__(self, arm: ArmConfig, parameters: FlatParameters) -> None:
        super().__init__(arm, parameters)
        self.momentum = setting(arm, "momentum", parameters)
        self.has_momentum = isinstance(self.momentum, Tensor) or self.momentum > 0
        self.buffer = torch.zeros_like(self.flat) if self.has_momentum else self.flat.new_empty(0)

    @override
    def direction(self, gradient: Tensor) -> Tensor:
        gradient = self.decayed(gradient)
        return self.buffer.mul_(self.momentum).add_(gradient) if self.has_momentum else gradient

    @override
    def reset(self, mask: Tensor) -> None:
        if self.has_momentum:
            self.buffer[mask] = 0
