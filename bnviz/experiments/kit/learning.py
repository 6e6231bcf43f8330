"""How far and how fast nets have learned, by arm and by the axes of the trials."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.order_statistics import first_crossing
from bnviz.experiments.kit.results import Results

LEARNED_SHARE = 0.5  # of the loss of guessing: a network below it has learned
LAST_SHARE = 0.1  # of a run's steps: the final loss is the mean over the measurements in this last part


def guessing_loss(classes: int) -> float:
    """Cross-entropy of giving every class the same probability: ln(classes)."""
    return math.log(classes)


def learned(losses: ArrayLike, classes: int) -> NDArray[np.bool_]:
    """Whether each network learned, element by element: its loss is below half of the loss of guessing; not for NaN and infinity.

    Half of the loss of guessing and not of the initial loss, because the initial loss depends on the arm (with a large
    initial gain it is huge, and falling to half of it is not learning).
    """
    return np.asarray(losses, np.float64) < LEARNED_SHARE * guessing_loss(classes)


def final_loss(results: Results, stage: str = "", measure: str = "train_loss") -> Labelled:
    """Mean loss over the last tenth of the steps measured so far; infinite for a trial that diverged.

    A mini-batch's loss is noisy, hence the mean. A trial counts as diverged when its loss was NaN, infinite or above a
    million, or when it is not finite at the end.

    Raises:
        LookupError: nothing was measured yet.
    """
    losses = results.over_steps(measure, stage)
    steps = losses.axes["step"]
    recent = next(step for step in steps if step >= steps[-1] * (1 - LAST_SHARE))
    means = losses.since("step", recent).over("step", np.mean)
    lost = (results.diverged(stage).values > 0) | ~np.isfinite(means.values)
    return Labelled(np.where(lost, np.inf, means.values), means.axes)


def steps_until(results: Results, loss: float, stage: str = "", measure: str = "train_loss") -> Labelled:
    """Steps until the loss of a batch first is at `loss` or below, on straight lines between measurements; infinite: never.

    Raises:
        LookupError: nothing was measured yet.
    """
    losses = results.over_steps(measure, stage)
    rest = {name: places for name, places in losses.axes.items() if name != "step"}
    rows = losses.rows("step", *rest).reshape(len(losses.axes["step"]), -1)
    crossed = first_crossing(losses.axes["step"], -rows, -loss)
    return Labelled(crossed.reshape([len(places) for places in rest.values()]), rest)
