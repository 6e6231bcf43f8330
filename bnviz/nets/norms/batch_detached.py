"""Batch norm whose gradient forgets that its statistics depend on the batch."""

from torch import Tensor
from typing_extensions import override

from bnviz.nets.norms.base import Mode
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.norms.moments import batch_axes, keep_running
from bnviz.registry.norms import NormEntry


@NormEntry(
    name="batch_detached",
    label="batch norm, statistics detached",
    color="#B15928",
    dash="longdash",
    symbol="square",
    formula="as batch norm; in the backward pass mean and var are constants",
    over_batch=True,
    keeps_statistics=True,
    in_compare=False,
    kept_tensors=6,
    place=7,
)
class DetachedBatchNorm(BatchNorm):
    """The output of batch norm; in the backward pass mean and variance count as constants.

    So dL/dy = gamma / sqrt(batch_var + eps) * dL/d(output), without the two terms that batch norm subtracts. A bias
    before it then gets a gradient though it cannot change the output, and grows without bound.

    References:
        Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, section 2.
    """

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        if mode == "eval":
            return super().__call__(values, affine, mode)
        axes = batch_axes(values)
        mean = values.detach().mean(axes, keepdim=True)
        var = values.detach().var(axes, correction=0, keepdim=True)
        if mode == "train":
            count = values.shape[1] * self.positions
            keep_running(self.running_mean, mean, self.momentum)
            if count > 1:
                keep_running(self.running_var, var * (count / (count - 1)), self.momentum)
        return self.scaled((values - mean) * (var + self.eps).rsqrt(), affine)
