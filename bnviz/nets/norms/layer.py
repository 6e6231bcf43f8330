"""Layer normalization: every sample by its mean and variance over the units of the layer."""

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.norms.base import Mode, Norm
from bnviz.registry.norms import NormEntry


@NormEntry(
    name="layer",
    label="layer norm",
    color="#009E73",
    dash="dot",
    symbol="diamond",
    formula="gamma (y - mean) / sqrt(var + eps) + beta, over the units of a sample",
    in_experiments=True,
    kept_tensors=3,
    place=2,
)
class LayerNorm(Norm):
    """gamma (y - mean) / sqrt(var + eps) + beta, mean and biased variance over the units of a sample.

    In a convolution over all channels and positions, with one gamma and beta per channel: group norm with one group.

    References:
        Ba et al. 2016, Layer Normalization, arXiv:1607.06450.
    """

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        return self.scaled(torch.nn.functional.layer_norm(values, values.shape[2:], eps=self.eps), affine)
