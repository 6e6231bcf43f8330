"""Group normalization: every sample by its mean and variance over groups of units."""

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.norms.base import Mode, Norm
from bnviz.registry.norms import NormEntry


@NormEntry(
    name="group",
    label="group norm",
    color="#CC79A7",
    dash="dashdot",
    symbol="triangle-up",
    formula="gamma (y - mean) / sqrt(var + eps) + beta, over each group of units of a sample",
    in_experiments=True,
    kept_tensors=3,
    place=3,
)
class GroupNorm(Norm):
    """gamma (y - mean) / sqrt(var + eps) + beta, mean and biased variance over each group of units of a sample.

    `group_count` groups of neighbouring units (of channels with all their positions, in a convolution); one group is
    layer norm, as many as units of a dense layer gives beta.

    References:
        Wu & He 2018, Group Normalization, arXiv:1803.08494.
    """

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        size = self.width // self.group_count * self.positions
        groups = values.reshape(*values.shape[:2], self.group_count, size)
        normalized = torch.nn.functional.layer_norm(groups, (size,), eps=self.eps).reshape(values.shape)
        return self.scaled(normalized, affine)
