"""Batch norm that divides by another norm than the standard deviation."""

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.norms.base import Mode
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.norms.moments import batch_axes, keep_running
from bnviz.registry.norms import NormEntry


class LpBatchNorm(BatchNorm):
    """gamma (y - batch_mean) / (size + eps) + beta, where size is the average l_p norm of y over the batch.

    As in the source the size is taken of y before its mean is subtracted, and is not rescaled: p = 1 is mean |y|,
    p = 2 is sqrt(mean y^2), p = infinity is max |y|. So no p gives unit variance: a Gaussian of mean 0 leaves with a
    standard deviation of 1.25, 1, or, in a batch of 64, about 0.4. `running_var` accumulates the size in place of a variance.
    """

    p = 2.0

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        if mode == "eval":
            return super().__call__(values, affine, mode)
        axes = batch_axes(values)
        mean, size = values.mean(axes, keepdim=True), self.size(values, axes)
        if mode == "train":
            keep_running(self.running_mean, mean, self.momentum)
            keep_running(self.running_var, size, self.momentum)
        return self.scaled((values - mean) / (size + self.eps), affine)

    def size(self, values: Tensor, axes: tuple[int, ...]) -> Tensor:
        """The average l_p norm of (trials, batch, units, ...) over the axes, which stay with length 1."""
        if self.p == torch.inf:
            return values.abs().amax(axes, keepdim=True)
        if self.p == 1:
            return values.abs().mean(axes, keepdim=True)
        count = values.numel() // (values.shape[0] * values.shape[2])
        return torch.linalg.vector_norm(values, dim=axes, keepdim=True) / count**0.5

    @override
    def folded(self, affine: list[Tensor]) -> tuple[Tensor, Tensor]:
        gamma, beta = affine
        scale = gamma / (self.running_var.unsqueeze(1) + self.eps)
        return scale, beta - self.running_mean.unsqueeze(1) * scale


@NormEntry(
    name="batch_l1",
    label="batch norm, L1",
    color="#1B7F79",
    dash="dash",
    symbol="triangle-up",
    formula="gamma (y - mean) / (mean(|y|) + eps) + beta, per unit over the batch",
    over_batch=True,
    keeps_statistics=True,
    in_compare=False,
    kept_tensors=7,
    place=8,
)
class L1BatchNorm(LpBatchNorm):
    """p = 1: the mean absolute value.

    References:
        Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604, section 3.3.
    """

    p = 1.0


@NormEntry(
    name="batch_l2",
    label="batch norm, L2",
    color="#7A7A00",
    dash="dashdot",
    symbol="triangle-down",
    formula="gamma (y - mean) / (sqrt(mean(y^2)) + eps) + beta, per unit over the batch",
    over_batch=True,
    keeps_statistics=True,
    in_compare=False,
    kept_tensors=7,
    place=9,
)
class L2BatchNorm(LpBatchNorm):
    """p = 2: the root mean square. Not batch norm: the mean is still in it.

    References:
        Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604, section 3.3.
    """


@NormEntry(
    name="batch_linf",
    label="batch norm, L-infinity",
    color="#C0398B",
    dash="longdash",
    symbol="cross",
    formula="gamma (y - mean) / (max(|y|) + eps) + beta, per unit over the batch",
    over_batch=True,
    keeps_statistics=True,
    in_compare=False,
    kept_tensors=7,
    place=10,
)
class LInfBatchNorm(LpBatchNorm):
    """p = infinity: the largest absolute value.

    References:
        Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604, section 3.3.
    """

    p = torch.inf
