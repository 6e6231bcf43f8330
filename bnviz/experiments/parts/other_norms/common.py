"""What the parts of this experiment share: the six norms, their charts, and who of them learned."""

from dataclasses import dataclass, replace

import numpy as np

from bnviz.charts.builders import add_level
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import NormName
from bnviz.experiments.kit.base import Chart
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.quantities import Conditions, Styles, norm_styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.ten_digits import ACCURACY, LOSS
from bnviz.registry.norms import NORMS as ALL_NORMS

BATCH, NONE = "batch", "none"  # names of two arms
NORMS: tuple[NormName, ...] = tuple(name for name, norm in ALL_NORMS.items() if norm.in_experiments)
STYLES = norm_styles(*NORMS)
SHORT = {norm: style.label.removesuffix(" norm").replace("no", "none") for norm, style in STYLES.items()}  # under an axis
WORDS = {norm: "the plain net" if norm == NONE else style.label for norm, style in STYLES.items()}  # in a sentence
STAGE, KEEP = "training", ("train_loss", "test_loss", "test_accuracy")
HALFWAY = 0.55  # accuracy halfway from guessing one of ten digits to all right: above it a net has learned
COLOR = "#0072B2"  # of boxes that stand for nets of several kinds
BY_NORM = replace(ACCURACY, title="Accuracy by norm", how="The newest measurement, from the worst to the best seed.", range=None)


def training_charts(styles: Styles, steps: int) -> tuple[Chart, Chart]:
    """Test accuracy and training loss over the steps."""
    return ACCURACY.by_step("accuracy", styles, steps), LOSS.by_step("loss", styles, steps)


def accuracy_by_norm() -> Chart:
    """The newest test accuracy side by side."""
    style, conditions = ArmStyle("test accuracy", COLOR, "solid"), Conditions("net", SHORT)
    chart = BY_NORM.by_condition("last", {"": style}, conditions, lambda results: side_by_side(BY_NORM.newest(results)))
    chart.spec.y_range = ACCURACY.range
    add_level(chart.spec, 100 * HALFWAY, "halfway from guessing")
    return chart


def side_by_side(found: Labelled) -> Labelled:
    """What is by arm and seed as boxes of one style, for `by_condition`: axes arm (one without a name), net, seed."""
    return stacked("arm", {"": stacked("net", dict(found.along("arm")))})


@dataclass(frozen=True)
class Learners:
    """Who learned.

    Args:
        accuracies: on the test set, by arm (all of `NORMS`) and seed; 0 for a trial that diverged.
    """

    accuracies: Labelled

    @classmethod
    def of(cls, results: Results) -> "Learners":
        """From the newest measurement."""
        return cls(results.newest("test_accuracy").map(lambda values: np.nan_to_num(values, nan=0.0)))

    def works(self, norm: str) -> bool:
        """Whether every trial is above halfway."""
        return bool(self.accuracies.at(arm=norm).values.min() > HALFWAY)

    def fails(self, norm: str) -> bool:
        """Whether no trial is above halfway."""
        return bool(self.accuracies.at(arm=norm).values.max() < HALFWAY)

    @property
    def answer(self) -> str | None:
        """'batch', when batch norm fails and all others work; 'all' or 'several'; None where seeds disagree."""
        works = {norm for norm in NORMS if self.works(norm)}
        if len(works) == len(NORMS):
            return "all"
        if self.fails(BATCH) and works == {*NORMS} - {BATCH}:
            return "batch"
        return "several" if all(norm in works or self.fails(norm) for norm in NORMS) else None

    @property
    def spreads(self) -> dict[str, Spread]:
        """Accuracy of every norm in percent."""
        return {norm: spread_of(100 * row.values, unit="%") for norm, row in self.accuracies.along("arm")}
