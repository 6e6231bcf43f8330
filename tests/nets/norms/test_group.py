"""Group norm is PyTorch's."""

from torch import nn

from bnviz.config.models import ArmConfig


def REFERENCE(arm: ArmConfig, width: int, positions: int) -> nn.Module:
    return nn.GroupNorm(arm.group_count, width, eps=arm.norm_eps)
