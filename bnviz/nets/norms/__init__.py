"""The normalizations: a new one is a file here and a line in NORMS."""

from bnviz.nets.norms.base import Mode, Norm
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.norms.batch_detached import DetachedBatchNorm
from bnviz.nets.norms.batch_lp import L1BatchNorm, L2BatchNorm, LInfBatchNorm
from bnviz.nets.norms.batch_noisy import NoisyBatchNorm
from bnviz.nets.norms.group import GroupNorm
from bnviz.nets.norms.instance import InstanceNorm
from bnviz.nets.norms.layer import LayerNorm
from bnviz.nets.norms.rms import RMSNorm

NORMS: dict[str, type[Norm]] = {
    "batch": BatchNorm,
    "layer": LayerNorm,
    "group": GroupNorm,
    "instance": InstanceNorm,
    "rms": RMSNorm,
    "batch_noisy": NoisyBatchNorm,
    "batch_detached": DetachedBatchNorm,
    "batch_l1": L1BatchNorm,
    "batch_l2": L2BatchNorm,
    "batch_linf": LInfBatchNorm,
}

__all__ = ["NORMS", "BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "Mode", "NoisyBatchNorm", "Norm", "RMSNorm"]
