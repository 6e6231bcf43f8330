"""Twins, a plain net and one with batch norm, trained at many values of one setting at once: the run, its charts, its losses.

What the learning-rate and the init-gain experiments share. The trials' axes are the setting's name and "seed".
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bnviz.charts.builders import add_level, heatmap_chart, heatmap_series
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.config.stages import Stage
from bnviz.experiments.kit.base import Chart
from bnviz.experiments.kit.labelled import FloatArray, Labelled, laid_on
from bnviz.experiments.kit.learning import LEARNED_SHARE, final_loss, guessing_loss, learned, steps_until
from bnviz.experiments.kit.quantities import Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.trials import Setting, swept_stage
from bnviz.experiments.kit.twins import STYLES
from bnviz.experiments.kit.usable_range import UsableRange

STAGE, KEEP = "sweep", ("train_loss", "test_accuracy")
FRAMES = 25
DARKEST, LIGHTEST = 0.03, 3.0  # losses of the heatmap's ends
CLASSES = 10

LOSS = Quantity(
    "train_loss",
    "Training loss",
    "One point for each {name}; the lower, the better. A cross at the top: trials diverged.",
    "training loss (nats)",
    log=True,
    cap=10.0,
)
SPEED = Quantity(
    "train_loss", "Steps to learn", "Updates until the loss is below {loss:.3g}; no point: it never was.", "steps (updates)"
)
ACCURACY = Quantity(
    "test_accuracy",
    "Test accuracy",
    "The share of unseen samples that is classified correctly; guessing gives a tenth.",
    "test accuracy",
    range=(0, 1),
)


@dataclass(frozen=True)
class TwinSweep:
    """A sweep of one setting for both nets.

    Args:
        setting: field of `PerTrial`, and name of the trials' axis.
        name: of the setting, for the axes: "learning rate".
        values: of the setting, ascending.
        seeds: networks of each kind at each value.
        arms: the plain net and the one with batch norm.
        batch_size: samples of a mini-batch.
        steps: of the run.
    """

    setting: Setting
    name: str
    values: tuple[float, ...]
    seeds: int
    arms: tuple[ArmConfig, ...]
    batch_size: int
    steps: int

    @property
    def learned_loss(self) -> float:
        """A network whose final loss is below this has learned."""
        return LEARNED_SHARE * guessing_loss(CLASSES)

    @property
    def run(self) -> RunConfig:
        """One pair of twins, before the sweep."""
        every = max(self.steps // FRAMES, 1)
        return RunConfig(arms=self.arms, batch_size=self.batch_size, steps=self.steps, measure_every=every)

    def stage(self, label: str) -> Stage:
        """Both nets at all values and seeds, as one stack each."""
        return swept_stage(STAGE, label, self.run, self.setting, self.values, self.seeds, KEEP)

    def losses(self, results: Results) -> Labelled:
        """Final train loss so far, by arm, value and seed; infinite where a trial diverged."""
        return final_loss(results)

    def usable(self, results: Results, arm: str) -> UsableRange:
        """The values at which an arm learned, seed by seed."""
        losses = self.losses(results).at(arm=arm).rows(self.setting, "seed")
        return UsableRange(np.array(self.values), learned(losses, CLASSES))

    def steps_to_learn(self, results: Results) -> Labelled:
        """Steps until the loss of a batch first falls below `learned_loss`, by arm, value and seed; NaN where it does not."""
        return steps_until(results, self.learned_loss).map(lambda steps: np.where(np.isinf(steps), np.nan, steps))

    # --- charts

    def charts(self) -> tuple[Chart, ...]:
        """Loss and its history, steps to learn and test accuracy, all against the setting."""
        swept = Swept(self.setting, self.values, self.name, log=True)
        speed = replace(SPEED.worded(loss=self.learned_loss), range=(0, self.steps))
        return (
            self._loss(swept),
            self._history(),
            speed.by_value("speed", STYLES, swept, self.steps_to_learn),
            ACCURACY.by_value("accuracy", STYLES, swept, ACCURACY.newest),
        )

    def _loss(self, swept: Swept) -> Chart:
        chart = LOSS.worded(name=self.name).by_value("loss", STYLES, swept, self.losses)
        add_level(chart.spec, guessing_loss(CLASSES), "guessing")
        add_level(chart.spec, self.learned_loss, "learned: below this")
        return chart

    def _history(self) -> Chart:
        how = "Each column is one setting, time runs upwards; dark is a low loss, red has diverged."
        steps = measured_steps(self.run)
        spec = heatmap_chart(
            "history", "Loss over time", how, self.name, "step (updates)", self.values, steps,
            low=DARKEST, high=LIGHTEST, log=True, unit="training loss",
        )  # fmt: skip

        def draw(results: Results) -> dict[str, list[Any]]:
            found = laid_on(median_losses(results), "step", steps)
            images = (found.at(arm=arm).rows("step", self.setting) for arm in STYLES)
            return {"": [heatmap_series(image, DARKEST, LIGHTEST, log=True) for image in images]}

        return Chart(spec, draw)


def median_losses(results: Results) -> Labelled:
    """Median loss over the seeds, by step, arm and value; infinite where most seeds have diverged."""
    losses = results.over_steps("train_loss")
    return losses.map(lambda values: np.where(np.isnan(values), np.inf, values)).over("seed", _upper_median)


def _upper_median(values: FloatArray, axis: int) -> FloatArray:
    """The middle one, the larger of two; takes infinite values."""
    ordered = np.moveaxis(np.sort(values, axis=axis), axis, 0)
    return ordered[len(ordered) // 2]
