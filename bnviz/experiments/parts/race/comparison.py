"""One arm against the reference in a race: the speed-up, paired by trial, of which late trials leave a bound."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bnviz.experiments.kit.order_statistics import median_interval

Outcome = Literal["sooner", "later", "no clear difference"]


@dataclass(frozen=True)
class Comparison:
    """One arm against the reference: steps to the target of every trial, infinite where it was not reached."""

    label: str
    reference: str
    steps: NDArray[np.float64]
    reference_steps: NDArray[np.float64]
    last_step: int

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """What is known of each trial's speed-up, shape (2, known trials): least and most, equal where both got there.

        A trial that did not get there takes more steps than there were; trials in which neither did are left out.
        """
        known = np.isfinite(self.steps) | np.isfinite(self.reference_steps)
        own, other = np.maximum(self.steps[known], 1), np.maximum(self.reference_steps[known], 1)
        late = max(self.last_step, 1)
        own_least, other_least = np.minimum(own, late), np.minimum(other, late)
        return np.array(
            [np.where(np.isinf(own), 0.0, other_least / own_least), np.where(np.isinf(other), np.inf, other / own_least)]
        )

    @property
    def left_out(self) -> int:
        """Trials in which neither got there."""
        return len(self.steps) - self.bounds.shape[1]

    @property
    def speedup(self) -> tuple[float, float]:
        """What is known of the median speed-up: (least, most); NaN where no trial says anything."""
        if not self.bounds.shape[1]:
            return float("nan"), float("nan")
        return median(self.bounds[0]), median(self.bounds[1])

    @cached_property
    def interval(self) -> tuple[float, float, bool]:
        """(low, high, whether it is a 95 % interval) of the median speed-up: see `median_interval`."""
        if not self.bounds.shape[1]:
            return float("nan"), float("nan"), False
        low, _, is_confident = median_interval(self.bounds[0])
        _, high, _ = median_interval(self.bounds[1])
        return low, high, is_confident

    @property
    def outcome(self) -> Outcome:
        """'sooner', 'later', or 'no clear difference' when the interval contains 1 or nothing is known."""
        low, high, _ = self.interval
        return "sooner" if low > 1 else "later" if high < 1 else "no clear difference"


def median(values: NDArray[np.float64]) -> float:
    """Median of (values,) that takes infinite ones; between a finite and an infinite middle value, the infinite one."""
    ordered = np.sort(values)
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    return float(middle[-1]) if np.isinf(middle).any() else float(middle.mean())
