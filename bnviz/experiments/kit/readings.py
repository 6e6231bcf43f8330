"""What stages yielded, by name: measures and test errors of trained nets.

NaN is "not measured yet", infinity is "diverged": charts and spreads tell the two apart.
"""

import numpy as np

from bnviz.experiments.kit.labelled import FloatArray, Labelled, unknown
from bnviz.experiments.kit.results import Results

RECENT_SHARE = 0.25  # of a run's measurements


def reading(results: Results, stage: str, measure: str) -> Labelled:
    """A curve or extra of a training stage as measured last, by arm and trial; infinite once diverged, NaN before it began."""
    if results.last(stage) is None:
        return unknown(**results.axes(stage))
    found = results.newest(measure, stage)
    is_lost = (results.diverged(stage).values > 0) | ~np.isfinite(found.values)
    return found.map(lambda values: np.where(is_lost, np.inf, values))


def error_of(results: Results, stage: str, measure: str = "test_accuracy") -> Labelled:
    """Error in percent, by arm and trial, from an accuracy; infinite and NaN as in `reading`."""
    return reading(results, stage, measure).map(_error)


def recent_mean(results: Results, stage: str, measure: str = "train_loss") -> Labelled:
    """Mean of a curve over the last quarter of the measurements, since a mini-batch's loss is noisy; values as in `reading`."""
    history = results.history(stage)
    if not history:
        return unknown(**results.axes(stage))
    first = history[-max(round(RECENT_SHARE * len(history)), 1)].step
    mean = results.over_steps(measure, stage).since("step", first).over("step", np.mean)
    return mean.map(lambda values: np.where(np.isfinite(values), values, np.inf))


def finite(found: Labelled) -> Labelled:
    """Infinities as NaN: for differences, in which what diverged has no place."""
    return found.map(lambda values: np.where(np.isfinite(values), values, np.nan))


def _error(accuracy: FloatArray) -> FloatArray:
    return np.where(np.isposinf(accuracy), np.inf, 100 - 100 * accuracy)
