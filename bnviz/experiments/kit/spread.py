"""A number with its uncertainty, which knows how to put itself into words.

spread = spread_of(ratios, of="pairs")      f"{spread}" -> "3.1 (2.4 to 3.9 over 6 pairs)"
                                            f"{spread:range}" -> "2.4 to 3.9 over 6 pairs"      f"{spread:median}" -> "3.1"
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.order_statistics import CONFIDENCE, median_interval

ONE = {"seeds": "one seed", "pairs": "one pair", "repetitions": "one repetition", "nets": "one net", "trials": "one trial"}


@dataclass(frozen=True)
class Spread:
    """Median of the seeds, or of the pairs of twins, with the range around it.

    Args:
        median: NaN where nothing is known; infinite for what never came.
        low, high: of an interval for the median, or the extremes.
        count: values that are known.
        level: confidence of the interval; 0 where low and high are the extremes.
        lost: trials that diverged and are not among the values.
        of: what is counted, in the plural.
        unit: "%", "points", ...
        digits: significant ones.
    """

    median: float
    low: float
    high: float
    count: int
    level: float = 0.0
    lost: int = 0
    of: str = "seeds"
    unit: str = ""
    digits: int = 3

    @property
    def sign(self) -> int:
        """1: all above 0, -1: all below 0, 0: neither, or too little is known to say; for differences."""
        return int(self.low > 0) - int(self.high < 0) if self.count > 1 else 0

    @property
    def direction(self) -> int:
        """1: all above 1, -1: all below 1, 0: neither, or nothing is known; for ratios."""
        return int(self.count > 0 and self.low > 1) - int(self.count > 0 and self.high < 1)

    @override
    def __str__(self) -> str:
        """Median with its range: '9.5 % (9 to 10 over 3 seeds)'."""
        if not self.count:
            return "diverged" if self.lost else "unknown"
        return f"{self:median} ({self:range})"

    @override
    def __format__(self, spec: str) -> str:
        """The whole, or 'median', or 'range'. Raises ValueError for another format."""
        if not spec:
            return str(self)
        if spec == "median":
            unit = f" {self.unit}" if self.unit else ""
            return f"{number(self.median, self.digits)}{unit}"
        if spec == "range":
            return self._range()
        raise ValueError(f"format {spec!r}: allowed are median and range")

    def _range(self) -> str:
        lost = f"; {self.lost} diverged" if self.lost else ""
        if self.count <= 1:
            return (ONE.get(self.of, f"one of the {self.of}") if self.count else "unknown") + lost
        interval = f"{100 * self.level:.0f} % interval " if self.level else ""
        low, high = number(self.low, self.digits), number(self.high, self.digits)
        return f"{interval}{low} to {high} over {self.count} {self.of}{lost}"


def spread_of(values: ArrayLike, of: str = "seeds", unit: str = "", digits: int = 3) -> Spread:
    """Median, lowest and highest of the values, of any shape, that are not NaN; infinite ones, of what never came, count."""
    known = np.asarray(values, np.float64).ravel()
    known = np.sort(known[~np.isnan(known)])
    if not len(known):
        return Spread(math.nan, math.nan, math.nan, 0, of=of, unit=unit, digits=digits)
    return Spread(_median(known), float(known[0]), float(known[-1]), len(known), of=of, unit=unit, digits=digits)


def spread_of_finite(values: ArrayLike, of: str = "seeds", unit: str = "", digits: int = 3) -> Spread:
    """The same of the finite values, of any shape; infinite ones are trials that diverged, which are counted beside them."""
    known = np.asarray(values, np.float64).ravel()
    found = spread_of(known[np.isfinite(known)], of, unit, digits)
    return Spread(found.median, found.low, found.high, found.count, 0.0, int(np.isinf(known).sum()), of, unit, digits)


def interval_of(values: ArrayLike, of: str = "pairs", unit: str = "", digits: int = 3) -> Spread:
    """Median of the finite values, of any shape, with its 95 % interval, or the extremes where there are too few for one.

    The interval assumes nothing of the distribution: see `median_interval`.
    """
    known = np.asarray(values, np.float64).ravel()
    known = known[np.isfinite(known)]
    if not len(known):
        return Spread(math.nan, math.nan, math.nan, 0, of=of, unit=unit, digits=digits)
    low, high, is_confident = median_interval(known)
    level = CONFIDENCE if is_confident else 0.0
    return Spread(float(np.median(known)), low, high, len(known), level, of=of, unit=unit, digits=digits)


def ratio_of(values: ArrayLike, reference: ArrayLike) -> Spread:
    """The ratio of twins, shape (pairs,) each, pair by pair; pairs of which one is unknown or diverged are left out."""
    above, below = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    known = np.isfinite(above) & np.isfinite(below) & (below != 0)
    return spread_of(above[known] / below[known], "pairs")


def _median(ordered: np.ndarray) -> float:
    """Median of sorted values, infinite where one of the middle two is."""
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    return float(middle[-1]) if np.isinf(middle).any() else float(middle.mean())
