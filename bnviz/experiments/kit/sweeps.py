"""Sweeps on the trial axis: many values of one setting, each with several seeds, trained as one stack.

    values x seeds -> stacked -> per_trial values and trial_seeds -> a run -> final_losses -> by_value -> usable, ratio

Trial v * seeds + s has value v and seed s, so networks of one seed start from the same weights and see the same
batches at every value: what differs between two values of one seed is the value. No torch here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.experiments.kit.results import Results

FloatArray = NDArray[np.float64]

LEARNED_SHARE = 0.5  # of the loss of guessing: a network below it has learned
LAST_SHARE = 0.1  # of a run's steps: the final loss is the mean over the measurements in this last part


def stacked(values: Sequence[float], seeds: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Lay out a sweep on the trial axis.

    Returns:
        The value of each trial, for `ArmConfig.per_trial`, and the seed of each, for `RunConfig.trial_seeds`; both have
        len(values) * seeds entries, the seeds next to each other.

    Raises:
        ValueError: no value, or no seed.
    """
    if not values or seeds < 1:
        raise ValueError(f"values: received {len(values)}, seeds: received {seeds}; allowed: 1 or more of each")
    return tuple(value for value in values for _ in range(seeds)), tuple(range(seeds)) * len(values)


def by_value(array: ArrayLike, values: Sequence[float], seeds: int, axis: int = -1) -> FloatArray:
    """Undo `stacked`: split the trial axis of `array` into (values, seeds).

    Args:
        array: measured, any shape with len(values) * seeds trials on `axis`.
        values: as given to `stacked`.
        seeds: as given to `stacked`.
        axis: of the trials.

    Raises:
        ValueError: another number of trials.
    """
    measured = np.asarray(array, np.float64)
    axis %= measured.ndim
    if measured.shape[axis] != len(values) * seeds:
        raise ValueError(f"trials: received {measured.shape[axis]}, wanted {len(values)} values x {seeds} seeds")
    return measured.reshape(*measured.shape[:axis], len(values), seeds, *measured.shape[axis + 1 :])


def decades(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values evenly spaced in the logarithm from `low` to `high`, three significant digits."""
    return tuple(float(f"{value:.3g}") for value in np.geomspace(low, high, count))


def final_losses(results: Results, key: str, arm: int = 0, curve: str = "train_loss") -> FloatArray:
    """Mean loss over the last tenth of the steps measured so far, shape (trials,); infinite where a trial diverged.

    A mini-batch's loss is noisy, hence the mean. A trial counts as diverged when its loss was NaN, infinite or above a
    million, or when it is not finite at the end.

    Raises:
        LookupError: nothing was measured yet.
    """
    last = results.arm(key, arm)
    if last is None:
        raise LookupError(f"{key}: nothing was measured yet")
    steps = results.steps(key)
    recent = steps >= steps[-1] * (1 - LAST_SHARE)
    frames = [row for row, chosen in zip(results.history(key), recent, strict=True) if chosen]
    losses = np.mean([np.asarray(frame.arms[arm].curves[curve], np.float64) for frame in frames], axis=0)
    return np.where((np.asarray(last.diverged_at) >= 0) | ~np.isfinite(losses), np.inf, losses)


def guessing_loss(classes: int) -> float:
    """Cross-entropy of giving every class the same probability: ln(classes)."""
    return math.log(classes)


def learned(losses: ArrayLike, classes: int) -> NDArray[np.bool_]:
    """Whether each network learned: its loss is below half of the loss of guessing; not for NaN and infinity.

    Half of the loss of guessing and not of the initial loss, because the initial loss depends on the arm (with a large
    initial gain it is huge, and falling to half of it is no learning).
    """
    return np.asarray(losses, np.float64) < LEARNED_SHARE * guessing_loss(classes)


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
        """Lowest usable value of each seed; NaN for a seed that learned at none."""
        return self._edge(np.argmax(self.usable, axis=0))

    @property
    def highest(self) -> FloatArray:
        """Highest usable value of each seed; NaN for a seed that learned at none."""
        return self._edge(len(self.values) - 1 - np.argmax(self.usable[::-1], axis=0))

    @property
    def span(self) -> FloatArray:
        """Highest over lowest usable value of each seed; NaN for a seed that learned at none."""
        return self.highest / self.lowest

    @property
    def share(self) -> FloatArray:
        """Share of the values that are usable, of each seed."""
        return self.usable.mean(axis=0)

    @property
    def ends_inside(self) -> bool:
        """Whether no seed learned at the highest value: else the range may go on beyond the sweep."""
        return not bool(self.usable[-1].any())

    def _edge(self, index: NDArray[np.intp]) -> FloatArray:
        return np.where(self.usable.any(axis=0), self.values[index], np.nan)


def usable_range(losses: ArrayLike, values: Sequence[float], seeds: int, classes: int) -> UsableRange:
    """At which values the networks of a sweep learned; `losses` as `final_losses` gives them."""
    return UsableRange(np.asarray(values, np.float64), learned(by_value(losses, values, seeds), classes))


@dataclass(frozen=True)
class Spread:
    """A number with its uncertainty over seeds: median, lowest and highest of those that are known."""

    median: float
    low: float
    high: float
    count: int  # seeds of which the number is known

    def __str__(self) -> str:
        """'12.3 (11 to 14, over 3 seeds)'."""
        if not self.count:
            return "unknown"
        over = f"over {self.count} seeds" if self.count > 1 else "one seed"
        spread = f"{plain(self.low)} to {plain(self.high)}, " if self.low != self.high else ""
        return f"{plain(self.median)} ({spread}{over})"


def spread_of(values: ArrayLike) -> Spread:
    """Median, lowest and highest of the values that are no NaN; infinite ones count."""
    known = np.asarray(values, np.float64).ravel()
    known = np.sort(known[~np.isnan(known)])
    if not len(known):
        return Spread(math.nan, math.nan, math.nan, 0)
    middle = known[(len(known) - 1) // 2 : len(known) // 2 + 1]
    median = float(middle[-1]) if np.isinf(middle).any() else float(middle.mean())
    return Spread(median, float(known[0]), float(known[-1]), len(known))


def highest_ratio(arm: UsableRange, reference: UsableRange) -> Spread:
    """How many times higher the arm's highest usable value is than the reference's, paired by seed.

    Both are on the sweep's grid, so a ratio is known to one grid step. Seeds at which one of the two learned at no
    value are left out.
    """
    return spread_of(arm.highest / reference.highest)


def plain(value: float, digits: int = 3) -> str:
    """A number for a sentence: significant digits, without an exponent between 0.0001 and a million; words for no number."""
    if not math.isfinite(value):
        return _no_number(value)
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e6 else text


def fixed(value: float, places: int) -> str:
    """A number for a sentence, with so many decimal places; words for no number, powers of ten for what is very large."""
    if not math.isfinite(value):
        return _no_number(value)
    return f"{value:.{places}f}" if abs(value) < 1e6 else plain(value)


def power_of_ten(exponent: float) -> float:
    """10 to a measured power, infinite where that is too large for a number."""
    return 10.0**exponent if not exponent > 300 else math.inf


def _no_number(value: float) -> str:
    """What NaN and the infinities are called."""
    return "unknown" if math.isnan(value) else "infinite" if value > 0 else "minus infinite"
