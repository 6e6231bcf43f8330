"""RMS normalization: every sample by its root mean square over the units; nothing is subtracted."""

from torch import Tensor
from torch.nn.functional import rms_norm
from typing_extensions import override

from bnviz.nets.norms.base import Mode, Norm
from bnviz.registry.norms import NormEntry


@NormEntry(
    name="rms",
    label="RMS norm",
    color="#E69F00",
    dash="longdashdot",
    symbol="cross",
    formula="gamma y / sqrt(mean(y^2) + eps), over the units of a sample",
    affine=("gamma",),
    in_experiments=True,
    kept_tensors=3,
    place=5,
)
class RMSNorm(Norm):
    """gamma y / sqrt(mean(y^2) + eps) over the units of a sample (channels and positions in a convolution); no beta.

    References:
        Zhang & Sennrich 2019, Root Mean Square Layer Normalization, arXiv:1910.07467.
    """

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        gamma = affine[0].unsqueeze(-1) if values.ndim == 4 else affine[0]
        return rms_norm(values, values.shape[2:], eps=self.eps) * gamma
