"""Detached batch norm is batch norm whose mean and variance the backward pass takes for constants."""

import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.norms.batch_detached import DetachedBatchNorm

EXCEPT = {"test_gradients_are_those_of_differences": "its gradient leaves out what the statistics contribute, on purpose"}


class REFERENCE(nn.BatchNorm1d):
    """PyTorch's values and statistics; the gradient with respect to the values is the upstream one, scaled."""

    def __init__(self, arm: ArmConfig, width: int, positions: int) -> None:
        super().__init__(width, eps=arm.norm_eps, momentum=arm.norm_momentum)

    def forward(self, values: Tensor) -> Tensor:
        out = super().forward(values.detach())
        if not self.training:
            return super().forward(values)
        spread = (values.detach().transpose(0, 1).flatten(1).var(1, correction=0) + self.eps).sqrt()
        slope = (self.weight.detach() / spread).view(-1, *[1] * (values.ndim - 2))
        return out + slope * (values - values.detach())  # the second term is 0


def test_a_shift_of_the_batch_has_a_gradient_which_batch_norms_has_not():
    arm, shape = ArmConfig(norm="batch_detached"), (2, 1, 5)
    affine = [torch.full(shape, value, dtype=torch.float64) for value in (1.5, -0.25)]
    values = torch.randn(2, 9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    weights = torch.randn(values.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    gradients = []
    for kind in (BatchNorm, DetachedBatchNorm):
        norm = kind(arm, 2, 5, torch.float64)
        gradients += torch.autograd.grad((norm(values, affine, "train") * weights).sum(), values)
    assert float(gradients[0].sum(1).abs().max()) < 1e-12
    assert float(gradients[1].sum(1).abs().min()) > 1e-3
