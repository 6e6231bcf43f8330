"""What all optimizers have in common: the flat parameters of a stack, with a value for all trials or one for each."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from bnviz.config.models import ArmConfig
from bnviz.nets.parameters import FlatParameters

Setting = float | Tensor  # one number for all trials, or one per parameter, of the shape of the flat parameters


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
        """The gradient, of the shape of the flat parameters, with the L2 penalty's added."""
        if isinstance(self.weight_decay, Tensor):
            return gradient.addcmul(self.flat, self.weight_decay)
        return gradient.add(self.flat, alpha=self.weight_decay) if self.weight_decay else gradient

    @abstractmethod
    def direction(self, gradient: Tensor) -> Tensor:
        """The direction of this step, of the shape of the flat parameters; takes the optimizer's own state one step on."""

    def apply(self, direction: Tensor) -> None:
        """Take the step; the direction has the shape of the flat parameters."""
        if isinstance(self.lr, Tensor):
            self.flat.addcmul_(direction, self.lr, value=-1)
        else:
            self.flat.add_(direction, alpha=-self.lr)

    @abstractmethod
    def reset(self, mask: Tensor) -> None:
        """Forget what was accumulated for the given parameters (bool, of the shape of the flat parameters)."""
