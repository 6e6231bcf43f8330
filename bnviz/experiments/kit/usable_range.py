"""The values of a sweep at which nets learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnviz.experiments.kit.labelled import FloatArray


@dataclass(frozen=True)
class UsableRange:
    """At which values an arm learned, seed by seed.

    Args:
        values: of the sweep, ascending, shape (values,).
        usable: whether it learned, bool, shape (values, seeds).
    """

    values: FloatArray
    usable: NDArray[np.bool_]

    @property
    def lowest(self) -> FloatArray:
        """Lowest usable value of each seed, shape (seeds,); NaN for one that learned at none."""
        return self._edge(np.argmax(self.usable, axis=0))

    @property
    def highest(self) -> FloatArray:
        """Highest usable value of each seed, shape (seeds,); NaN for one that learned at none."""
        return self._edge(len(self.values) - 1 - np.argmax(self.usable[::-1], axis=0))

    @property
    def span(self) -> FloatArray:
        """Highest over lowest usable value of each seed, shape (seeds,); NaN for one that learned at none."""
        return self.highest / self.lowest

    @property
    def share(self) -> FloatArray:
        """Share of the values that are usable, of each seed, shape (seeds,)."""
        return self.usable.mean(axis=0)

    @property
    def ends_inside(self) -> bool:
        """Whether no seed learned at the highest value: else the range may go on beyond the sweep."""
        return not bool(self.usable[-1].any())

    def _edge(self, index: NDArray[np.intp]) -> FloatArray:
        return np.where(self.usable.any(axis=0), self.values[index], np.nan)
