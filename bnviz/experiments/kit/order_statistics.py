"""First crossings and a distribution-free interval for a median: pure NumPy, float64."""

from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95


def first_crossing(steps: ArrayLike, values: ArrayLike, target: float) -> NDArray[np.float64]:
    """Say at which step each trial first reaches `target`, on the straight lines between its measurements.

    Args:
        steps: measured steps, ascending, shape (frames,).
        values: measured values, shape (frames, trials); NaN (diverged, not measured) reaches nothing.
        target: the value to reach.

    Returns:
        Steps, float64, shape (trials,); infinite where the target was not reached.

    Raises:
        ValueError: the shapes do not fit.
    """
    x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
    if y.ndim != 2 or x.shape != y.shape[:1]:
        raise ValueError(f"steps {x.shape} and values {y.shape}: wanted (frames,) and (frames, trials)")
    crossings = np.full(y.shape[1], np.inf)
    for trial in range(y.shape[1]):
        above = np.flatnonzero(y[:, trial] >= target)
        if len(above):
            crossings[trial] = _between(x, y[:, trial], int(above[0]), target)
    return crossings


def _between(x: NDArray[np.float64], y: NDArray[np.float64], i: int, target: float) -> float:
    if i == 0 or not np.isfinite(y[i - 1]) or not np.isfinite(y[i]):
        return float(x[i])
    return float(x[i - 1] + (x[i] - x[i - 1]) * (target - y[i - 1]) / (y[i] - y[i - 1]))


def median_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float, bool]:
    """Bound the median of the population that `values` come from, whatever its distribution.

    The interval ends at the k-th smallest and the k-th largest value, with the largest k for which the sign test
    covers the median with at least `confidence`. It needs no finite values (an infinite one is a trial that never got
    there) and assumes only independent values.

    Returns:
        (low, high, whether the confidence is reached): with too few values (fewer than 6 for 95 %) it is not,
        and low and high are the extremes.

    Raises:
        ValueError: no values, or a NaN among them.

    References:
        Conover 1999, Practical Nonparametric Statistics, section 3.2.
    """
    ordered = np.sort(np.asarray(values, np.float64).ravel())
    count = len(ordered)
    if count == 0 or np.isnan(ordered).any():
        raise ValueError(f"wanted at least one value and no NaN, received {ordered}")
    rank, tail = 0, 0.0
    while rank < count // 2 and 2 * (tail + comb(count, rank) / 2**count) <= 1 - confidence:
        tail += comb(count, rank) / 2**count
        rank += 1
    reached = rank > 0
    low = max(rank - 1, 0)
    return float(ordered[low]), float(ordered[count - 1 - low]), reached
