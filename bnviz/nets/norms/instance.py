"""Instance normalization: every sample by its mean and variance over the positions of a channel."""

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.norms.base import Mode, Norm
from bnviz.registry.norms import NormEntry


@NormEntry(
    name="instance",
    label="instance norm",
    color="#56B4E9",
    dash="longdash",
    symbol="triangle-down",
    formula="gamma (y - mean) / sqrt(var + eps) + beta, over the positions of a channel of a sample",
    in_experiments=True,
    kept_tensors=3,
    place=4,
)
class InstanceNorm(Norm):
    """gamma (y - mean) / sqrt(var + eps) + beta, mean and biased variance over the positions of a channel of a sample.

    A dense layer has no image axes: its units are taken as the positions of a single channel. So the statistics are
    those of layer norm, and gamma and beta are one number each per layer (the channel's) instead of one per unit, as
    `torch.nn.InstanceNorm1d(1, affine=True)` does on (batch, 1, units).

    References:
        Ulyanov et al. 2016, Instance Normalization, arXiv:1607.08022.
    """

    @override
    def affine_size(self) -> int:
        return 1 if self.positions == 1 else self.width

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        return self.scaled(torch.nn.functional.layer_norm(values, values.shape[-1:], eps=self.eps), affine)
