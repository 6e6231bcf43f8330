"""Adam."""

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.config.models import ArmConfig
from bnviz.nets.parameters import FlatParameters
from bnviz.registry.optimizers import OptimizerEntry
from bnviz.training.optimizers.base import Optimizer


@OptimizerEntry(
    name="adam",
    place=20,
    label="Adam",
    formula="m <- 0.9 m + 0.1 g; v <- 0.999 v + 0.001 g²; w <- w - lr m̂ / (√v̂ + 1e-8), m̂ and v̂ corrected for their start at 0",
    source="Kingma & Ba 2015, arXiv:1412.6980",
    copies=4,
)
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
