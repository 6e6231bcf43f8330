"""Test errors of training stages and what to say of them: percent, per trial, with their range over trials.

Results -> error_of, error_rows -> sweep_series | words | Gain -> sentence
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.experiments.kit.order_statistics import median_interval
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of

FloatArray = NDArray[np.float64]


def reading(results: Results, key: str, measure: str, arm: int, trials: int) -> FloatArray:
    """A curve or extra of an arm as measured last, (trials,); NaN before the first measurement, infinite once diverged."""
    last = results.arm(key, arm)
    if last is None:
        return np.full(trials, np.nan)
    values = np.asarray((last.curves | last.extras)[measure], np.float64)
    return np.where((np.asarray(last.diverged_at) >= 0) | ~np.isfinite(values), np.inf, values)


def error_of(results: Results, key: str, arm: int, trials: int, measure: str = "test_accuracy") -> FloatArray:
    """Error in percent, (trials,), from an accuracy; NaN and infinite as in `reading`."""
    accuracy = reading(results, key, measure, arm, trials)
    return np.where(np.isposinf(accuracy), np.inf, 100 - 100 * accuracy)


def error_rows(results: Results, keys: Sequence[str], arm: int, trials: int, measure: str = "test_accuracy") -> FloatArray:
    """`error_of` of several stages, (stages, trials): a series for `sweep_series`."""
    return np.array([error_of(results, key, arm, trials, measure) for key in keys])


def lower_share(losses: FloatArray, reference: FloatArray) -> float:
    """Share of the pairs, (trials,) each, in which the first loss is the lower one; a diverged net counts as the highest.

    NaN when both diverged in every pair, which says nothing.
    """
    return float((losses < reference).mean()) if np.isfinite([losses, reference]).any() else np.nan


def recent_mean(results: Results, key: str, measure: str, arm: int, trials: int, share: float = 0.25) -> FloatArray:
    """Mean of a curve over the last measurements, a share of all, (trials,): a mini-batch's loss is noisy."""
    history = results.history(key)
    if not history:
        return np.full(trials, np.nan)
    rows = history[-max(round(share * len(history)), 1) :]
    values = np.mean([np.asarray(row.arms[arm].curves[measure], np.float64) for row in rows], axis=0)
    return np.where(np.isfinite(values), values, np.inf)


def words(values: ArrayLike, unit: str = "%") -> str:
    """'9.5 % (9 to 10 over 3 seeds)'; a trial that diverged is counted and said."""
    known = np.asarray(values, np.float64).ravel()
    known = known[~np.isnan(known)]
    gone = int(np.isinf(known).sum())
    if gone == len(known):
        return "diverged" if gone else "not measured"
    spread = spread_of(known[np.isfinite(known)])
    mark = f" {unit}" if unit else ""
    span = f"{plain(spread.low)} to {plain(spread.high)} over {spread.count} seeds" if spread.count > 1 else "one seed"
    lost = f"; {gone} diverged" if gone else ""
    return f"{plain(spread.median)}{mark} ({span}{lost})"


@dataclass(frozen=True)
class Gain:
    """How much lower one arm's error is than another's, paired by trial, in percentage points."""

    median: float
    low: float  # of a 95 % interval of the median, or of all trials where these are too few for one
    high: float
    count: int
    is_confident: bool = False  # whether it is one

    @property
    def sign(self) -> int:
        """1: clearly lower error, -1: clearly higher, 0: the interval contains no gain at all, or nothing is known."""
        return int(self.low > 0) - int(self.high < 0) if self.count > 1 else 0

    def __str__(self) -> str:
        """'1.5 points (95 % interval 0.8 to 2.4, 6 pairs)'."""
        if not self.count:
            return "unknown"
        interval = "95 % interval " if self.is_confident else ""
        return f"{plain(self.median)} points ({interval}{plain(self.low)} to {plain(self.high)}, {self.count} pairs)"


def gain(without: ArrayLike, with_: ArrayLike) -> Gain:
    """The errors `without` less those `with_` something; pairs of which one is not known or diverged are left out."""
    first, second = np.asarray(without, np.float64), np.asarray(with_, np.float64)
    known = np.isfinite(first) & np.isfinite(second)
    differences = first[known] - second[known]
    if not len(differences):
        return Gain(np.nan, np.nan, np.nan, 0)
    low, high, is_confident = median_interval(differences)
    return Gain(float(np.median(differences)), low, high, len(differences), is_confident)
