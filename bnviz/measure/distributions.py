"""The entries of each layer as one distribution: over the samples of the probe batch and the units together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnviz.measure.probed import Probed
from bnviz.records.records import PERCENTILES


@dataclass(frozen=True, slots=True)
class Distributions:
    """All entries of each layer and tensor of the shown trials."""

    values: NDArray[np.float32]  # (shown, rows, entries); 0 in the rows that are not finite
    broken: NDArray[np.bool_]  # (shown, rows): not finite; a net can overflow before its loss does
    places: dict[str, slice]  # as `Probed` has it

    @classmethod
    def of(cls, probed: Probed, shown: int) -> "Distributions":
        """Of the first `shown` trials."""
        values = probed.values[:, :shown].transpose(0, 1).flatten(2).numpy()
        broken = np.logical_not(np.isfinite(values).all(-1))
        if broken.any():
            values = np.where(np.expand_dims(broken, -1), np.float32(0), values)
        return cls(values, broken, probed.places)

    def percentiles(self) -> dict[str, NDArray[np.float32]]:
        """Of each of TENSORS, (shown, layers, len(PERCENTILES)); NaN where a row is not finite."""
        found = percentiles(self.values)
        found[self.broken] = np.nan
        return {name: found[:, place] for name, place in self.places.items()}


def percentiles(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The PERCENTILES of the last axis by linear interpolation: (..., n) -> (..., len(PERCENTILES)).

    Raises:
        ValueError: an empty last axis.
    """
    if not values.shape[-1]:
        raise ValueError(f"values: got shape {values.shape}, wanted at least one entry on the last axis")
    places = np.array(PERCENTILES) / 100 * (values.shape[-1] - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, values.shape[-1] - 1)
    ordered = np.sort(values, axis=-1)  # vectorized by NumPy, five times as fast as np.partition for ten places
    low, high = ordered[..., below], ordered[..., above]
    return low + (high - low) * (places - below).astype(values.dtype)
