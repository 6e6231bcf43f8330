"""What the parts of this experiment share: the six norms, their charts, and who of them learned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnviz.charts.builders import add_level, category_chart, curve_chart, curve_point, norm_style, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import NormName
from bnviz.experiments.kit.base import Chart, Reference
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.registry.norms import norms

NORMS: tuple[NormName, ...] = tuple(name for name, norm in norms().items() if norm.in_experiments)
STYLES = tuple(norm_style(norm) for norm in NORMS)
SHORT = {style.label: style.label.removesuffix(" norm").replace("no", "none") for style in STYLES}  # under an axis
STAGE, KEEP = "training", ("train_loss", "test_loss", "test_accuracy")
HALFWAY = 0.55  # accuracy halfway from guessing one of ten digits to all right: above it a net has learned

BA = Reference("Ba et al. 2016, Layer Normalization", "https://arxiv.org/abs/1607.06450")
WU_HE = Reference("Wu & He 2018, Group Normalization", "https://arxiv.org/abs/1803.08494")
ULYANOV = Reference("Ulyanov et al. 2016, Instance Normalization", "https://arxiv.org/abs/1607.08022")
ZHANG = Reference("Zhang & Sennrich 2019, Root Mean Square Layer Normalization", "https://arxiv.org/abs/1910.07467")
IOFFE_2017 = Reference("Ioffe 2017, Batch Renormalization", "https://arxiv.org/abs/1702.03275")
LAURENT = Reference("Laurent et al. 2015, Batch Normalized Recurrent Neural Networks", "https://arxiv.org/abs/1510.01378")
COOIJMANS = Reference("Cooijmans et al. 2016, Recurrent Batch Normalization", "https://arxiv.org/abs/1603.09025")


def newest(results: Results, measure: str, arms: int) -> list[NDArray[np.float64]]:
    """A curve of every arm as measured last, each (trials,); NaN for a trial that diverged."""
    return [np.asarray(arm.curves[measure], np.float64) for arm in (results.arm(STAGE, index) for index in range(arms)) if arm]


def training_charts(styles: Sequence[ArmStyle], steps: int) -> tuple[Chart, ...]:
    """Test accuracy and training loss over the steps, and the newest test accuracy side by side."""
    count = len(styles)
    accuracy = curve_chart(
        "accuracy", "Test accuracy", "Higher is better; at 10 % a net guesses.", "test accuracy (%)", styles, steps
    )
    accuracy.y_range = (0.0, 102.0)
    loss = curve_chart("loss", "Training loss", "Lower is better; at 2.3 a net guesses.", "training loss (nats)", styles, steps)
    loss.y_cap, loss.y_floor = 1.3, 0.0
    last = category_chart(
        "last",
        "Accuracy by norm",
        "The newest measurement, from the worst to the best seed.",
        "test accuracy (%)",
        [SHORT.get(style.label, style.label) for style in styles],
        [ArmStyle("test accuracy", "#0072B2", "solid")],
    )
    last.y_range = (0.0, 102.0)
    add_level(last, 100 * HALFWAY, "halfway from guessing")
    return (
        Chart(accuracy, lambda results: {"": [curve_point(100 * v) for v in newest(results, "test_accuracy", count)]}),
        Chart(loss, lambda results: {"": [curve_point(v) for v in newest(results, "train_loss", count)]}),
        Chart(last, lambda results: {"": [sweep_series([100 * v for v in newest(results, "test_accuracy", count)])]}),
    )


@dataclass(frozen=True)
class Learners:
    """Who learned: test accuracy of every arm, (arms, trials), 0 for a trial that diverged."""

    accuracies: NDArray[np.float64]

    @classmethod
    def of(cls, results: Results, arms: int) -> "Learners":
        """From the newest measurement."""
        return cls(np.nan_to_num(np.array(newest(results, "test_accuracy", arms)), nan=0.0))

    @property
    def works(self) -> NDArray[np.bool_]:
        """Arms of which every trial is above halfway."""
        return self.accuracies.min(axis=1) > HALFWAY

    @property
    def fails(self) -> NDArray[np.bool_]:
        """Arms of which no trial is."""
        return self.accuracies.max(axis=1) < HALFWAY

    @property
    def answer(self) -> str | None:
        """'batch', when batch norm fails and all others work; 'all' or 'several'; None where seeds disagree."""
        batch = NORMS.index("batch")
        others = np.arange(len(self.accuracies)) != batch
        if self.works.all():
            return "all"
        if self.fails[batch] and self.works[others].all():
            return "batch"
        return "several" if (self.works | self.fails).all() else None

    def numbers(self) -> dict[str, float]:
        """Median, lowest and highest accuracy of every norm."""
        found = {}
        for norm, row in zip(NORMS, self.accuracies, strict=True):
            spread = spread_of(row)
            found |= {f"{norm}": spread.median, f"{norm}_low": spread.low, f"{norm}_high": spread.high}
        return found

    def sentence(self) -> str:
        """'no norm 80 % (68 to 84), batch norm 20 % (15 to 26), ...'."""
        parts = [f"{style.label} {percent(row)}" for style, row in zip(STYLES, self.accuracies, strict=True)]
        return ", ".join(parts)


def percent(shares: NDArray[np.float64]) -> str:
    """'80 % (68 to 84)': median, lowest and highest."""
    spread = spread_of(100 * shares)
    return f"{plain(spread.median)} % ({plain(spread.low)} to {plain(spread.high)})"
