"""The normalizations: what each says of itself above its class in `bnviz/nets/norms`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from typing_extensions import override

from bnviz.registry.declared import Entry, declared

Target = TypeVar("Target")


@dataclass(frozen=True, kw_only=True)
class NormEntry(Entry):
    """A normalization, or the net without one, which has all of this but no layer.

    Args:
        label: in charts and controls.
        color, dash, symbol: of its lines and points, together unlike those of any other norm: "#" and six hex digits,
            a key of `STROKES` and a key of `SHAPES` in `bnviz.charts.theme`.
        formula: what it makes of a value y, on one line, for the docs.
        affine: its learned parameters, in the order in which the layer is given them: gamma, and beta where there is one.
        over_batch: whether, in training, what it makes of a sample depends on the other samples of the batch.
        keeps_statistics: whether it accumulates running statistics, which inference uses.
        in_compare: whether the front page offers it under "Compare"; a link takes it in any case.
        in_experiments: whether it takes part in the experiments on other norms, which are about at most `MAX_ARMS` of them.
        kept_tensors: of its input's shape, that wait for the backward pass; for the estimate of memory.
    """

    label: str
    color: str
    dash: str
    symbol: str
    formula: str
    affine: tuple[str, ...] = ("gamma", "beta")
    over_batch: bool = False
    keeps_statistics: bool = False
    in_compare: bool = True
    in_experiments: bool = False
    kept_tensors: int = 7

    @override
    def __call__(self, target: Target) -> Target:
        """Decorate: the class learns what its parameters are called."""
        setattr(target, "affine", self.affine)  # noqa: B010 - nothing is known of the type here
        return target


NORMS = declared(NormEntry, "bnviz.nets.norms")  # the net without one first
if TYPE_CHECKING:
    NormName = str
else:
    NormName = Literal[tuple(NORMS)]
