"""The normalizations: a new one is a file here and a line in NORMS."""

from bnviz.nets.norms.base import Mode, Norm
from bnviz.nets.norms.batch import BatchNorm
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
}

__all__ = ["NORMS", "BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "Mode", "Norm", "RMSNorm"]
