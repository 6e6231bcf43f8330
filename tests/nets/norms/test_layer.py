"""Layer norm is PyTorch's; over the maps of a convolution it is group norm with one group."""

from torch import nn

from bnviz.config.models import ArmConfig


def REFERENCE(arm: ArmConfig, width: int, positions: int) -> nn.Module:
    return nn.LayerNorm(width, eps=arm.norm_eps) if positions == 1 else nn.GroupNorm(1, width, eps=arm.norm_eps)
