"""What both parts cite and draw."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bnviz.charts.builders import curve_chart, curve_point
from bnviz.charts.theme import ArmStyle
from bnviz.experiments.kit.base import Chart, Reference
from bnviz.experiments.kit.results import Results

STAGE = "training"
IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization, section 3.2", "https://arxiv.org/abs/1502.03167")
WU_HE = Reference("Wu & He 2018, Group Normalization", "https://arxiv.org/abs/1803.08494")


def newest(results: Results, measure: str, arms: int) -> list[NDArray[np.float64]]:
    """A curve of every arm as measured last, each (trials,); NaN for a trial that diverged."""
    return [np.asarray(arm.curves[measure], np.float64) for arm in (results.arm(STAGE, index) for index in range(arms)) if arm]


def curves(styles: Sequence[ArmStyle], steps: int) -> tuple[Chart, Chart]:
    """Training loss and test accuracy over the steps."""
    loss = curve_chart("loss", "Training loss", "Lower is better; at 2.3 a net guesses.", "training loss (nats)", styles, steps)
    loss.y_cap, loss.y_floor = 1.3, 0.0
    accuracy = curve_chart(
        "accuracy", "Test accuracy", "Higher is better; at 10 % a net guesses.", "test accuracy (%)", styles, steps
    )
    accuracy.y_range = (0.0, 102.0)
    count = len(styles)
    return (
        Chart(loss, lambda results: {"": [curve_point(values) for values in newest(results, "train_loss", count)]}),
        Chart(accuracy, lambda results: {"": [curve_point(100 * values) for values in newest(results, "test_accuracy", count)]}),
    )
