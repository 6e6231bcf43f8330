"""The race: how much sooner an arm reaches a test accuracy than the reference, paired by trial.

    StepMeasured * n -> RaceVerdict.add -> .target, .comparisons -> .sentence

The target is 90 % of the way from the accuracy at the start to the best one: start is the highest median test accuracy
of an arm at the first measurement, best the highest that any arm's median reaches later. It is the same for all arms.
Speed-up of trial t = steps of the reference / steps of the arm. A trial that never gets there is censored: the ratio is
known to be at least (reference late) or at most (arm late) something, and order statistics are all that is used of it:
median and a 95 % interval of the sign test. Trials in which neither arm gets there say nothing and are left out.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnviz.config.models import RunConfig
from bnviz.experiments.kit.order_statistics import first_crossing, median_interval
from bnviz.experiments.kit.sweeps import plain
from bnviz.records.records import StageMeasured, StepMeasured

TARGET_SHARE = 0.9  # of the way from the accuracy at the start to the best one
LEARNED = 0.05  # an accuracy that rose by less than this is not learning
MOST_ARMS_IN_FULL = 2


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
        return _median(self.bounds[0]), _median(self.bounds[1])

    @cached_property
    def interval(self) -> tuple[float, float, bool]:
        """(low, high, whether it is a 95 % interval) of the median speed-up: see `median_interval`."""
        if not self.bounds.shape[1]:
            return float("nan"), float("nan"), False
        low, _, is_confident = median_interval(self.bounds[0])
        _, high, _ = median_interval(self.bounds[1])
        return low, high, is_confident

    @property
    def outcome(self) -> str:
        """'sooner', 'later', or 'no clear difference' when the interval contains 1 or nothing is known."""
        low, high, _ = self.interval
        return "sooner" if low > 1 else "later" if high < 1 else "no clear difference"


class RaceVerdict:
    """Listens to a run and says who won; feed it every measurement in order."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._labels = config.arm_labels
        self._steps: list[int] = []
        self._accuracies: list[NDArray[np.float64]] = []  # one (arms, trials) a frame
        self._medians: list[NDArray[np.float64]] = []
        self._diverged = np.zeros((len(config.arms), config.trials), bool)
        norms = [arm.norm for arm in config.arms]
        self.reference = norms.index("none") if "none" in norms else 0

    def add(self, measured: StepMeasured | StageMeasured) -> None:
        """Take in one measured step."""
        self._steps.append(measured.step)
        accuracies = np.array([arm.curves["test_accuracy"] for arm in measured.arms], np.float64)
        self._accuracies.append(accuracies)
        self._medians.append(np.median(np.nan_to_num(accuracies, nan=0.0), axis=1))
        self._diverged = np.array([np.asarray(arm.diverged_at) >= 0 for arm in measured.arms])

    @property
    def over(self) -> bool:
        """Whether nothing more can come: the last step is measured, or every trial has diverged."""
        return bool(self._steps) and (self._steps[-1] >= self._config.steps or bool(self._diverged.all()))

    @property
    def medians(self) -> NDArray[np.float64]:
        """Median test accuracy, shape (frames, arms); a trial that has diverged counts as 0."""
        return np.array(self._medians).reshape(-1, len(self._labels))

    @property
    def target(self) -> float | None:
        """The accuracy to reach, as a share, down to a whole percent; None when no arm has learned."""
        medians = self.medians
        if not len(medians):
            return None
        start, best = float(medians[0].max()), float(medians.max())
        if best - start < LEARNED:
            return None
        return np.floor(100 * (start + TARGET_SHARE * (best - start)) + 1e-9) / 100

    def steps_to_target(self) -> NDArray[np.float64] | None:
        """Steps of every arm and trial to the target, shape (arms, trials), infinite where it was not reached."""
        target = self.target
        if target is None:
            return None
        accuracies = np.array(self._accuracies)
        return np.array([first_crossing(self._steps, accuracies[:, arm], target) for arm in range(len(self._labels))])

    def comparisons(self) -> tuple[Comparison, ...]:
        """Every other arm against the reference, in the arms' order; empty while no arm has learned."""
        steps = self.steps_to_target()
        if steps is None:
            return ()
        reference = self.reference
        return tuple(
            Comparison(label, self._labels[reference], steps[arm], steps[reference], self._steps[-1])
            for arm, label in enumerate(self._labels)
            if arm != reference
        )

    @property
    def diverged_counts(self) -> dict[str, int]:
        """Diverged trials of every arm that has some, by its label."""
        counts = self._diverged.sum(axis=1)
        return {label: int(count) for label, count in zip(self._labels, counts, strict=True) if count}

    def sentence(self) -> str:
        """The verdict in plain words: the standing while the run is on, the comparison when it is over."""
        if not self._steps:
            return ""
        if self._config.steps == 0:
            return "Initialization only: nothing is trained, so there is no race."
        if not self.over:
            return f"Step {self._steps[-1]}: median test accuracy {self._standing()}."
        return self._outcome()

    def _standing(self) -> str:
        return ", ".join(f"{label} {_percent(value)}" for label, value in zip(self._labels, self._medians[-1], strict=True))

    def _outcome(self) -> str:
        target, comparisons = self.target, self.comparisons()
        if target is None:
            return f"No arm learned in {self._steps[-1]} steps: median test accuracy {self._standing()}."
        if not comparisons:
            return self._alone(target)
        if len(comparisons) < MOST_ARMS_IN_FULL:
            return _in_full(comparisons[0], target)
        parts = "; ".join(f"{comparison.label} {_in_short(comparison)}" for comparison in comparisons)
        return f"To {_percent(target)} test accuracy, against {comparisons[0].reference}: {parts} ({self._footing(comparisons)})."

    def _footing(self, comparisons: tuple[Comparison, ...]) -> str:
        """What the ranges of several comparisons are."""
        trials = self._config.trials
        if trials == 1:
            return "one trial: no intervals"
        is_confident = all(comparison.interval[2] for comparison in comparisons if comparison.bounds.shape[1])
        return f"{trials} trials, {'95 % intervals' if is_confident else 'ranges over them, too few for 95 % intervals'}"

    def _alone(self, target: float) -> str:
        steps = self.steps_to_target()
        median = _median(steps[0]) if steps is not None else np.inf
        when = f"after a median of {median:.0f} steps" if np.isfinite(median) else "in fewer than half of its trials"
        return f"{_capital(self._labels[0])} reached {_percent(target)} test accuracy {when}."


def _in_full(comparison: Comparison, target: float) -> str:
    """One comparison as a sentence of its own."""
    label, reference, goal = _capital(comparison.label), comparison.reference, f"{_percent(target)} test accuracy"
    least, most = comparison.speedup
    if np.isinf(most) or least == 0:
        return _one_sided(comparison, goal)
    how = f"{_times(comparison)} than {reference} {_range(comparison)}."
    if comparison.outcome == "no clear difference":
        return f"No clear difference: {comparison.label} reached {goal} {how}"
    return f"{label} reached {goal} {how}"


def _one_sided(comparison: Comparison, goal: str) -> str:
    """When half of the trials or more of one of the two never got there: who did and when, and the bound that follows."""
    first = np.isinf(comparison.speedup[1])
    winner, loser = (comparison.label, comparison.reference) if first else (comparison.reference, comparison.label)
    steps, losing = (comparison.steps, comparison.reference_steps) if first else (comparison.reference_steps, comparison.steps)
    reached, late, trials = int(np.isfinite(steps).sum()), int(np.isinf(losing).sum()), len(steps)
    whose = f"median of {trials} trials" if reached == trials else f"median of the {reached} of {trials} trials that did"
    who = (
        f"did not within {comparison.last_step}"
        if late == trials
        else f"did not within {comparison.last_step} in {late} of {trials}"
    )
    start = "No clear difference: " if comparison.outcome == "no clear difference" else ""
    sentence = f"{winner} reached {goal} after {_median(steps[np.isfinite(steps)]):.0f} steps ({whose}); {loser} {who}."
    return start + sentence if start else _capital(sentence)


def _in_short(comparison: Comparison) -> str:
    if not comparison.bounds.shape[1]:
        return "did not get there either"
    if comparison.speedup[0] == 0:
        return f"did not get there in {np.isinf(comparison.steps).sum()} of {len(comparison.steps)} trials"
    if comparison.outcome == "no clear difference":
        return f"no clear difference (speed-up {_bounds(comparison.interval)})"
    return f"{_times(comparison)} ({_bounds(_on_its_scale(comparison))})"


def _is_later(comparison: Comparison) -> bool:
    """Whether the median speed-up is below 1: then a sentence has times as many steps, the inverse, and all bounds of it."""
    least, most = comparison.speedup
    return most <= 1 and least < 1


def _times(comparison: Comparison) -> str:
    """'2.31x sooner' or '1.5x later', from the median speed-up; 'at least' where late trials leave only a bound."""
    least, most = comparison.speedup
    bound = "at least " if least != most else ""
    if least == most == 1:
        return "no sooner"
    if _is_later(comparison):
        return f"{bound}{plain(1 / most)}x later"
    return f"{bound}{plain(least)}x sooner" if least >= 1 else "neither clearly sooner nor later"


def _on_its_scale(comparison: Comparison) -> tuple[float, float]:
    """(low, high) of the interval on the scale of `_times`: the speed-up, or times as many steps where it is later."""
    low, high, _ = comparison.interval
    return (1 / high, 1 / low if low > 0 else np.inf) if _is_later(comparison) else (low, high)


def _range(comparison: Comparison) -> str:
    """'(95 % interval 1.9 to 2.8, 8 trials)', on the scale of `_times`, which is named where the sentence does not say it."""
    low, _, is_confident = comparison.interval
    bounds, used, is_later = _bounds(_on_its_scale(comparison)), comparison.bounds.shape[1], _is_later(comparison)
    if used == 1:
        return "(one trial: no interval)"
    if not is_confident:
        gave = f"took {bounds} times as many steps" if is_later else f"gave a speed-up of {bounds}"
        return f"({used} trials {gave}: too few for a 95 % interval)"
    left = f", {comparison.left_out} left out in which neither got there" if comparison.left_out else ""
    interval = f"{bounds} times as many steps" if is_later else bounds if low > 1 else f"of the speed-up {bounds}"
    return f"(95 % interval {interval}, {used} trials{left})"


def _bounds(ends: tuple[float, ...]) -> str:
    """'1.9 to 2.8', '1.9 or more', '2.8 or less'."""
    low, high = ends[:2]
    if np.isinf(high):
        return f"{plain(low)} or more" if low > 0 else "any"
    return f"{plain(low)} to {plain(high)}" if low > 0 else f"{plain(high)} or less"


def _median(values: NDArray[np.float64]) -> float:
    """Median that takes infinite values; between a finite and an infinite middle value, the infinite one."""
    ordered = np.sort(values)
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    return float(middle[-1]) if np.isinf(middle).any() else float(middle.mean())


def _percent(share: float) -> str:
    return f"{plain(100 * share)} %"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
