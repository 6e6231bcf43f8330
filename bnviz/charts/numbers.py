"""Arrays to small JSON: bands over the finite trials, three significant digits, one character a level."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODES = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
LEVELS = len(ALPHABET)
MIN_TRIALS_FOR_QUANTILES = 5  # with fewer the 16th percentile says no more than the minimum


def short(value: float) -> float | None:
    """A number with 3 significant digits; None for NaN and infinities, which JSON does not have."""
    rounded = float(f"{value:.3g}")
    return rounded if math.isfinite(rounded) else None


def shorts(values: Iterable[float]) -> list[float | None]:
    """`short` of every value of a flat array."""
    return [short(value) for value in np.asarray(values, dtype=np.float64).tolist()]


def band(values: NDArray[Any], trials: int) -> NDArray[np.float64]:
    """Low edge, median and high edge over the finite trials.

    Args:
        values: shape (T,) or (T, L); NaN for trials that have diverged.
        trials: trials of the run; it decides whether the edges are the 16th and 84th percentiles or the extremes.

    Returns:
        Shape (3,) or (3, L); NaN where no trial is finite.
    """
    edges = (0.16, 0.5, 0.84) if trials >= MIN_TRIALS_FOR_QUANTILES else (0.0, 0.5, 1.0)
    values = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    ordered = np.sort(values, axis=0)  # NaN last
    finite = np.isfinite(ordered).sum(axis=0)
    return np.stack([_quantile(ordered, finite, edge) for edge in edges])


def band_words(trials: int) -> str:
    """What the band shows, for the legend."""
    if trials == 1:
        return "line: the one trial"
    if trials < MIN_TRIALS_FOR_QUANTILES:
        return f"line: median, band: lowest to highest of {trials} trials"
    return f"line: median, band: 16th to 84th percentile of {trials} trials"


def pack(levels: NDArray[Any]) -> str:
    """Whole numbers 0 to 63 as one character each."""
    return _CODES[np.clip(levels, 0, LEVELS - 1).astype(np.intp)].tobytes().decode()


def spread(count: int, limit: int) -> tuple[int, ...]:
    """At most `limit` indices out of `count`, evenly spread, first and last included."""
    if count <= limit:
        return tuple(range(count))
    return tuple(np.rint(np.linspace(0, count - 1, limit)).astype(int).tolist())


def _quantile(ordered: NDArray[np.float64], finite: NDArray[Any], fraction: float) -> NDArray[np.float64]:
    """Linear interpolation between order statistics, as `numpy.quantile` does, over the first `finite` rows."""
    position = fraction * np.maximum(finite - 1, 0)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(finite - 1, 0)).astype(np.intp)
    low = np.take_along_axis(ordered, below[None], axis=0)[0]
    high = np.take_along_axis(ordered, above[None], axis=0)[0]
    return low + (high - low) * (position - below)
