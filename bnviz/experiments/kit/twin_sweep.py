"""Twins without and with batch norm, trained at many values of one setting at once: the run, its charts, its losses.

What the learning-rate and the init-gain experiments share. One stage, "sweep"; arm 0 has no norm, arm 1 batch norm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnviz.charts.builders import add_level, heatmap_chart, heatmap_series, norm_style, sweep_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.experiments.kit.base import Chart, Series
from bnviz.experiments.kit.order_statistics import first_crossing
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import LEARNED_SHARE, UsableRange, by_value, final_losses, guessing_loss, usable_range

STAGE, KEEP = "sweep", ("train_loss", "test_accuracy")
FRAMES = 25
STYLES = (norm_style("none", "no norm"), norm_style("batch", "batch norm"))
DARKEST, LIGHTEST = 0.03, 3.0  # losses of the heatmap's ends


@dataclass(frozen=True)
class TwinSweep:
    """A sweep of one setting for both arms.

    Args:
        values: of the setting, ascending.
        seeds: networks at each value.
        steps: of the run.
        name: of the setting, for the axes: "learning rate".
        classes: of the data set.
    """

    values: tuple[float, ...]
    seeds: int
    steps: int
    name: str
    classes: int = 10

    @property
    def every(self) -> int:
        """Steps between two measurements."""
        return max(self.steps // FRAMES, 1)

    @property
    def measured(self) -> tuple[int, ...]:
        """The steps that are measured."""
        return tuple(sorted({*range(0, self.steps + 1, self.every), self.steps}))

    @property
    def learned_loss(self) -> float:
        """A network whose final loss is below this has learned."""
        return LEARNED_SHARE * guessing_loss(self.classes)

    def losses(self, results: Results) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Final train loss of both arms so far, each (values, seeds); infinite where a trial diverged."""
        none, batch = (by_value(final_losses(results, STAGE, arm), self.values, self.seeds) for arm in (0, 1))
        return none, batch

    def usable(self, results: Results) -> tuple[UsableRange, UsableRange]:
        """The values at which each arm learned."""
        none, batch = (usable_range(loss.ravel(), self.values, self.seeds, self.classes) for loss in self.losses(results))
        return none, batch

    def charts(self) -> tuple[Chart, ...]:
        """Loss and its history, steps to learn and test accuracy, all against the setting."""
        return (
            Chart(self._loss_spec(), lambda results: {"": [sweep_series(loss) for loss in self.losses(results)]}),
            Chart(self._history_spec(), self._draw_history),
            Chart(self._speed_spec(), lambda results: {"": [sweep_series(self.steps_to_learn(results, arm)) for arm in (0, 1)]}),
            Chart(self._accuracy_spec(), lambda results: {"": self._accuracies(results)}),
        )

    def steps_to_learn(self, results: Results, arm: int) -> NDArray[np.float64]:
        """Steps until the loss of a batch first falls below `learned_loss`, (values, seeds); NaN where it does not."""
        crossed = first_crossing(results.steps(STAGE), -results.curve(STAGE, "train_loss", arm), -self.learned_loss)
        return by_value(np.where(np.isinf(crossed), np.nan, crossed), self.values, self.seeds)

    def _loss_spec(self) -> ChartSpec:
        how = f"One point for each {self.name}; the lower, the better. A cross at the top: trials diverged."
        spec = sweep_chart("loss", "Training loss", how, self.name, "training loss (nats)", self.values, STYLES,
                           x_log=True, y_log=True)  # fmt: skip
        add_level(spec, guessing_loss(self.classes), "guessing")
        spec.y_cap = 10.0
        return add_level(spec, self.learned_loss, "learned: below this")

    def _history_spec(self) -> ChartSpec:
        how = "Each column is one setting, time runs upwards; dark is a low loss, red has diverged."
        return heatmap_chart("history", "Loss over time", how, self.name, "step (updates)", self.values, self.measured,
                             low=DARKEST, high=LIGHTEST, log=True, unit="training loss")  # fmt: skip

    def _speed_spec(self) -> ChartSpec:
        how = f"Updates until the loss is below {self.learned_loss:.3g}; no point: it never was."
        return sweep_chart("speed", "Steps to learn", how, self.name, "steps (updates)", self.values, STYLES,
                           x_log=True, y_range=(0, self.steps))  # fmt: skip

    def _accuracy_spec(self) -> ChartSpec:
        how = "The share of unseen samples that is classified correctly; guessing gives a tenth."
        return sweep_chart("accuracy", "Test accuracy", how, self.name, "test accuracy", self.values, STYLES,
                           x_log=True, y_range=(0, 1))  # fmt: skip

    def _draw_history(self, results: Results) -> dict[str, list[Any]]:
        return {"": [self._history(results, arm) for arm in (0, 1)]}

    def _history(self, results: Results, arm: int) -> str:
        """Median loss over the seeds, (steps, values), packed; infinite where most seeds have diverged."""
        image = np.full((len(self.measured), len(self.values)), np.nan)
        for row, measured in zip(image, results.history(STAGE), strict=False):
            loss = np.asarray(measured.arms[arm].curves["train_loss"], np.float64)
            lost = np.asarray(measured.arms[arm].diverged_at) >= 0
            row[:] = _median(by_value(np.where(lost | np.isnan(loss), np.inf, loss), self.values, self.seeds))
        return heatmap_series(image, DARKEST, LIGHTEST, log=True)

    def _accuracies(self, results: Results) -> list[Series]:
        last = results.last(STAGE)
        assert last is not None
        return [sweep_series(by_value(arm.curves["test_accuracy"], self.values, self.seeds)) for arm in last.arms]


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle one of each row, the larger of two; takes infinite values."""
    ordered = np.sort(values, axis=1)
    return ordered[:, ordered.shape[1] // 2]


def words(values: Sequence[str]) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(value for value in values if value)
