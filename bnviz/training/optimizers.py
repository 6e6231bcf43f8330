"""SGD and Adam on the flat parameters of a stack, with a value for all trials or one for each."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.config.models import ArmConfig
from bnviz.nets.parameters import FlatParameters

Setting = float | Tensor  # one number for all trials, or one a parameter, of the shape of the flat parameters


def setting(arm: ArmConfig, name: str, parameters: FlatParameters) -> Setting:
    """The arm's setting `name`: a number, or a tensor where each trial has its own."""
    values = getattr(arm.per_trial, name)
    return parameters.spread(torch.tensor(values, dtype=parameters.flat.dtype)) if values else getattr(arm, name)


class Optimizer(ABC):
    """Turns gradients into the next parameters: `flat <- flat - lr * direction(flat, gradient)`.

    Args:
        arm: the arm's settings.
        parameters: of the arm; `apply` updates them in place.
    """

    def __init__(self, arm: ArmConfig, parameters: FlatParameters) -> None:
        self.flat = parameters.flat
        self.lr = setting(arm, "lr", parameters)
        self.weight_decay = setting(arm, "weight_decay", parameters)

    def decayed(self, gradient: Tensor) -> Tensor:
        """The gradient with the L2 penalty's added."""
        if isinstance(self.weight_decay, Tensor):
            return gradient.addcmul(self.flat, self.weight_decay)
        return gradient.add(self.flat, alpha=self.weight_decay) if self.weight_decay else gradient

    @abstractmethod
    def direction(self, gradient: Tensor) -> Tensor:
        """The direction of this step, of the shape of the flat parameters; takes the optimizer's own state one step on."""

    def apply(self, direction: Tensor) -> None:
        """Take the step."""
        if isinstance(self.lr, Tensor):
            self.flat.addcmul_(direction, self.lr, value=-1)
        else:
            self.flat.add_(direction, alpha=-self.lr)

    @abstractmethod
    def reset(self, mask: Tensor) -> None:
        """Forget what was accumulated for the given parameters (bool, of the shape of the flat parameters)."""


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


class Adam(Optimizer):
    """Adam with the usual constants (0.9, 0.999, 1e-8), as in `torch.optim.Adam`.

    References:
        Kingma & Ba 2015, arXiv:1412.6980.
    """

    BETA1, BETA2, EPS = 0.9, 0.999, 1e-8

    def __init__(self, arm: ArmConfig, parameters: FlatParameters) -> None:
        super().__init__(arm, parameters)
        self.mean, self.square = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.count = 0

    @override
    def direction(self, gradient: Tensor) -> Tensor:
        gradient = self.decayed(gradient)
        self.count += 1
        self.mean.lerp_(gradient, 1 - self.BETA1)
        self.square.mul_(self.BETA2).addcmul_(gradient, gradient, value=1 - self.BETA2)
        scale = (1 - self.BETA2**self.count) ** 0.5
        denominator = self.square.sqrt().div_(scale).add_(self.EPS)
        return self.mean.div(denominator).div_(1 - self.BETA1**self.count)

    @override
    def reset(self, mask: Tensor) -> None:
        self.mean[mask] = 0
        self.square[mask] = 0


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}
