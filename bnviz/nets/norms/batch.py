"""Batch normalization: every unit by its mean and variance over the mini-batch."""

from typing import Self

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.config.models import ArmConfig
from bnviz.nets.norms.base import Mode, Norm
from bnviz.registry.norms import NormEntry


@NormEntry(
    name="batch",
    label="batch norm",
    color="#0072B2",
    dash="solid",
    symbol="circle",
    formula="gamma (y - mean) / sqrt(var + eps) + beta, per unit over the batch",
    over_batch=True,
    keeps_statistics=True,
    in_experiments=True,
    kept_tensors=2,
    place=1,
)
class BatchNorm(Norm):
    """gamma (y - batch_mean) / sqrt(batch_var + eps) + beta, per unit over the samples of the batch.

    Per channel over samples and positions in a convolution. Like PyTorch: the biased variance (1/m) normalizes, the
    unbiased one (1/(m-1)) is what `running_var` accumulates, and `momentum` weights the new value. Unlike PyTorch, a
    batch of one value per unit is allowed: its output is beta whatever the input is, and `running_var` keeps its value.

    All trials are one call: the trial axis is folded into the channels, so the kernel sees (batch, trials * units).

    References:
        Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithms 1 and 2.
    """

    def __init__(self, arm: ArmConfig, trials: int, width: int, dtype: torch.dtype, positions: int = 1) -> None:
        super().__init__(arm, trials, width, dtype, positions)
        self.running_mean = torch.zeros(trials, width, dtype=dtype)
        self.running_var = torch.ones(trials, width, dtype=dtype)

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        if mode == "eval":
            scale, shift = self.folded(affine)
            return self.scaled(values, [scale, shift])
        gamma, beta = affine
        batch = values.shape[1]
        alone = batch * self.positions == 1
        if mode == "train" and alone:
            self.running_mean.lerp_(values.detach().reshape(self.running_mean.shape), self.momentum)
        accumulate = mode == "train" and not alone
        statistics = (self.running_mean.view(-1), self.running_var.view(-1)) if accumulate else (None, None)
        folded = values.transpose(0, 1).reshape(batch, -1, *values.shape[3:])
        out = torch.batch_norm(folded, gamma.reshape(-1), beta.reshape(-1), *statistics, True, self.momentum, self.eps, False)
        return out.view(batch, *values.shape[:1], *values.shape[2:]).transpose(0, 1)

    @override
    def folded(self, affine: list[Tensor]) -> tuple[Tensor, Tensor]:
        gamma, beta = affine
        scale = gamma * (self.running_var.unsqueeze(1) + self.eps).rsqrt()
        return scale, beta - self.running_mean.unsqueeze(1) * scale

    @override
    def statistics(self) -> list[Tensor]:
        return [self.running_mean, self.running_var]

    @override
    def first(self, trials: int) -> Self:
        part = super().first(trials)
        part.running_mean, part.running_var = self.running_mean[:trials], self.running_var[:trials]
        return part

    @override
    def reset(self, trials: Tensor) -> None:
        self.running_mean[trials] = 0
        self.running_var[trials] = 1
