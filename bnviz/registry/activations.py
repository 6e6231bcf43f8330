"""The activation functions: what is said of each, and what is true of it. The functions are in `bnviz/nets/activations.py`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bnviz.registry.declared import Entry, declared


@dataclass(frozen=True, kw_only=True)
class ActivationEntry(Entry):
    """Stands above an activation function: a tensor of any shape to one of the same shape, element by element.

    Args:
        label: in sentences and charts.
        choice: where one is chosen; empty for the label.
        formula: of z, for the docs.
        linear_range: outputs outside it count as saturated, on a flat end of the curve; None: it has no two flat ends.
        dies: whether a unit may be dead: it hands on exactly 0, with a slope of 0, for all inputs below 0.
        slope_below_zero: where it is linear on both sides of 0, with a slope of 1 above; None: it is not.
    """

    label: str
    formula: str
    choice: str = ""
    linear_range: tuple[float, float] | None = None
    dies: bool = False
    slope_below_zero: float | None = None


ACTIVATIONS = declared(ActivationEntry, "bnviz.nets")
if TYPE_CHECKING:
    ActivationName = str
else:
    ActivationName = Literal[tuple(ACTIVATIONS)]
