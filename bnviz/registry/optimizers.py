"""The optimizers: what is said of each, and which settings it reads. The classes are in `bnviz/training/optimizers`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bnviz.registry.declared import Entry, declared


@dataclass(frozen=True, kw_only=True)
class OptimizerEntry(Entry):
    """Stands above a subclass of `bnviz.training.optimizers.base.Optimizer`.

    All of them read the learning rate and the weight decay.

    Args:
        label: as the page shows it.
        formula: of a step, for the docs; g is the gradient, that of the L2 penalty included.
        source: where it is from.
        momentum: whether it reads `ArmConfig.momentum`.
        copies: tensors of the parameters' shape that it holds or makes in a step, for the estimate of memory.
        momentum_copies: how many more where the momentum is above 0.
    """

    label: str
    formula: str
    source: str
    momentum: bool = False
    copies: int = 0
    momentum_copies: int = 0


OPTIMIZERS = declared(OptimizerEntry, "bnviz.training.optimizers")
WITH_MOMENTUM = tuple(entry.label for entry in OPTIMIZERS.values() if entry.momentum)
if TYPE_CHECKING:
    OptimizerName = str
else:
    OptimizerName = Literal[tuple(OPTIMIZERS)]
