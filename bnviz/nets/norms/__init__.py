"""The normalizations, one per file: what is declared in this folder exists, and is listed nowhere else."""

from bnviz.nets.norms.base import Mode, Norm
from bnviz.registry.norms import NORMS

_LOADED = {name: entry.load() for name, entry in NORMS.items()}
NORM_LAYERS: dict[str, type[Norm]] = {name: kind for name, kind in _LOADED.items() if issubclass(kind, Norm)}  # all but "none"

__all__ = ["NORM_LAYERS", "Mode", "Norm"]
