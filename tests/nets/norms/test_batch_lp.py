"""The l_p batch norms divide by the size of what they are given: unit by unit, in a loop."""

import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig

SIZES = {
    "batch_l1": lambda y: sum(abs(value) for value in y) / len(y),
    "batch_l2": lambda y: (sum(value**2 for value in y) / len(y)) ** 0.5,
    "batch_linf": lambda y: max(abs(value) for value in y),
}


class REFERENCE(nn.Module):
    def __init__(self, arm: ArmConfig, width: int, positions: int) -> None:
        super().__init__()
        self.size, self.eps, self.momentum = SIZES[arm.norm], arm.norm_eps, arm.norm_momentum
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.running_mean, self.running_var = nn.Buffer(torch.zeros(width)), nn.Buffer(torch.ones(width))

    def forward(self, values: Tensor) -> Tensor:
        return torch.stack([self.unit(unit, y) for unit, y in enumerate(values.unbind(1))], 1)

    def unit(self, unit: int, y: Tensor) -> Tensor:
        mean, size = self.running_mean[unit].clone(), self.running_var[unit].clone()
        if self.training:
            mean, size = y.mean(), self.size(y.flatten())
            for running, value in ((self.running_mean, mean), (self.running_var, size)):
                running[unit] = (1 - self.momentum) * running[unit] + self.momentum * value.detach()
        return self.weight[unit] * (y - mean) / (size + self.eps) + self.bias[unit]
