"""RMS norm is PyTorch's for units; for maps, where that has a gamma for every position, a loop over the samples."""

import numpy as np
from torch import nn

from bnviz.config.models import ArmConfig
from tests.nets.norms.references import Array, Loop


def REFERENCE(arm: ArmConfig, width: int, positions: int) -> nn.Module:
    if positions == 1:
        return nn.RMSNorm(width, eps=arm.norm_eps)

    def by_root_mean_square(values: Array) -> Array:
        return np.array([sample / (sum(y * y for y in sample.flat) / sample.size + arm.norm_eps) ** 0.5 for sample in values])

    return Loop(by_root_mean_square, width, beta=False)
