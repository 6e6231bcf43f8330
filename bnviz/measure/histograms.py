"""Counts of a layer's values, on fixed bins that all layers share."""

import numpy as np
from numpy.typing import NDArray

from bnviz.measure.moment import Moment, Results
from bnviz.records.records import BIN_COUNT, BIN_RANGE
from bnviz.registry.measures import MeasureEntry

BINS_A_UNIT = BIN_COUNT / (BIN_RANGE[1] - BIN_RANGE[0])  # a power of two: scaling by it is exact in floating point


@MeasureEntry(
    name="histograms",
    place=32,
    always=True,
    wants=("distributions",),
    caveat="all counts are 0 where a net has overflowed and in trials that have diverged",
    results={
        "pre_norm_histograms": {
            "definition": "how many values of the pre-norm lie in each of 80 bins of width 1/8 from -5 to 5, closed on the "
            "left, below them and above them",
            "unit": "values",
            "axes": ("shown", "layer", "bin"),
        },
        "pre_activation_histograms": {
            "definition": "of the pre-activation, likewise",
            "unit": "values",
            "axes": ("shown", "layer", "bin"),
        },
        "post_activation_histograms": {
            "definition": "of the post-activation, likewise",
            "unit": "values",
            "axes": ("shown", "layer", "bin"),
        },
    },
)
def measure_histograms(moment: Moment) -> Results:
    """`histogram` of each layer and tensor."""
    entries = moment.distributions
    counts = histogram(entries.values)
    counts[entries.broken] = 0
    return {f"{name}_histograms": counts[:, place] for name, place in entries.places.items()}


def histogram(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Counts on the fixed bins [left, right): (..., n) -> (..., BIN_COUNT + 2).

    First what lies below the range, then the bins, last what lies above it; they add up to n.

    Raises:
        ValueError: a NaN, which belongs to no bin.
    """
    rows = values.reshape(-1, values.shape[-1])
    place = np.floor(rows * np.float32(BINS_A_UNIT))
    if np.isnan(place).any():
        raise ValueError("values: got NaN, which belongs to no bin")
    first = BIN_RANGE[0] * BINS_A_UNIT - 1
    np.clip(place, first, first + BIN_COUNT + 1, out=place)
    place -= first
    place += np.arange(len(rows), dtype=np.float32)[:, None] * (BIN_COUNT + 2)
    counts = np.bincount(place.astype(np.int32).ravel(), minlength=len(rows) * (BIN_COUNT + 2))
    return counts.astype(np.uint32).reshape(*values.shape[:-1], BIN_COUNT + 2)
