"""The race: how much sooner an arm reaches a test accuracy than the reference, paired by trial.

    StepMeasured * n -> RaceVerdict.add -> .target, .comparisons -> .sentence

The target is 90 % of the way from the accuracy at the start to the best one: start is the highest median test accuracy
of an arm at the first measurement, best the highest that any arm's median reaches later. It is the same for all arms.
Speed-up of trial t = steps of the reference / steps of the arm. A trial that never gets there is censored: the ratio is
known to be at least (reference late) or at most (arm late) something, and order statistics are all that is used of it:
median and a 95 % interval of the sign test. Trials in which neither arm gets there say nothing and are left out.
"""

import numpy as np
from numpy.typing import NDArray

from bnviz.config.models import RunConfig
from bnviz.experiments.kit.order_statistics import first_crossing
from bnviz.experiments.parts.race.comparison import Comparison, median
from bnviz.experiments.parts.race.words import capital, in_full, in_short, name_of, net, percent
from bnviz.records.records import StageMeasured, StepMeasured

TARGET_SHARE = 0.9  # of the way from the accuracy at the start to the best one
LEARNED = 0.05  # an accuracy that rose by less than this is not learning
MOST_ARMS_IN_FULL = 2


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
        return ", ".join(
            f"{name_of(label)} {percent(value)}" for label, value in zip(self._labels, self._medians[-1], strict=True)
        )

    def _outcome(self) -> str:
        target, comparisons = self.target, self.comparisons()
        if target is None:
            return f"No net learned in {self._steps[-1]} steps: median test accuracy {self._standing()}."
        if not comparisons:
            return self._alone(target)
        if len(comparisons) < MOST_ARMS_IN_FULL:
            return in_full(comparisons[0], target)
        parts = "; ".join(f"{name_of(comparison.label)} {in_short(comparison)}" for comparison in comparisons)
        against = net(comparisons[0].reference)
        return f"To {percent(target)} test accuracy, against {against}: {parts} ({self._footing(comparisons)})."

    def _footing(self, comparisons: tuple[Comparison, ...]) -> str:
        """What the ranges of several comparisons are."""
        trials = self._config.trials
        if trials == 1:
            return "one trial: no intervals"
        is_confident = all(comparison.interval[2] for comparison in comparisons if comparison.bounds.shape[1])
        return f"{trials} trials, {'95 % intervals' if is_confident else 'ranges over them, too few for 95 % intervals'}"

    def _alone(self, target: float) -> str:
        steps = self.steps_to_target()
        typical = median(steps[0]) if steps is not None else np.inf
        when = f"after a median of {typical:.0f} steps" if np.isfinite(typical) else "in fewer than half of its trials"
        return f"{capital(net(self._labels[0]))} reached {percent(target)} test accuracy {when}."
