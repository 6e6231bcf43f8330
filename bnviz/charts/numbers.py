"""Arrays to small JSON: bands over the finite trials, three significant digits, one character a level."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LEVELS = len(ALPHABET)
_TABLE = ALPHABET.encode().ljust(256)
MIN_TRIALS_FOR_QUANTILES = 5  # with fewer the 16th percentile says no more than the minimum


def short(value: float) -> float | None:
    """A number with 3 significant digits; None for NaN and infinities, which JSON does not have."""
    rounded = float(f"{value:.3g}")
    return rounded if math.isfinite(rounded) else None


def short_text(value: float) -> str:
    """Three significant digits for an axis; without an exponent from 0.0001 to a million."""
    text = f"{value:.3g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e6 else text


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
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        if finite.ndim == 2 and (finite != finite.any(axis=1, keepdims=True)).any():
            columns = zip(values.T, finite.T, strict=True)
            return np.stack([_quantiles(column[known], edges) for column, known in columns], axis=1)
        values = values[finite if finite.ndim == 1 else finite.any(axis=1)]  # trials that have diverged, as a whole
    return _quantiles(values, edges)


def band_words(trials: int) -> str:
    """What the band shows, for the legend."""
    if trials == 1:
        return "line: the one trial"
    if trials < MIN_TRIALS_FOR_QUANTILES:
        return f"line: median, band: lowest to highest of {trials} trials"
    return f"line: median, band: 16th to 84th percentile of {trials} trials"


def pack(levels: NDArray[Any]) -> str:
    """Whole numbers 0 to 63, of any shape, as one character each, the last axis fastest."""
    return np.clip(levels, 0, LEVELS - 1).astype(np.uint8).tobytes().translate(_TABLE).decode()


def spread(count: int, limit: int) -> tuple[int, ...]:
    """At most `limit` indices out of `count`, evenly spread, first and last included."""
    if count <= limit:
        return tuple(range(count))
    return tuple(np.rint(np.linspace(0, count - 1, limit)).astype(int).tolist())


def _quantiles(values: NDArray[np.float64], fractions: tuple[float, ...]) -> NDArray[np.float64]:
    """`numpy.quantile` over the first axis, NaN for no value at all, at a tenth of its time for a few values."""
    if not len(values):
        return np.full((len(fractions), *values.shape[1:]), np.nan)
    ordered, last = np.sort(values, axis=0), len(values) - 1
    below = [int(fraction * last) for fraction in fractions]
    above = [min(index + 1, last) for index in below]
    weights = np.array([fraction * last - index for fraction, index in zip(fractions, below, strict=True)])
    weights = weights.reshape(-1, *[1] * (values.ndim - 1))
    low = ordered[below]
    return low + (ordered[above] - low) * weights
