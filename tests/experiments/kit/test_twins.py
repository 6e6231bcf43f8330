"""What is said of twins: who ended lower, which pairs count, who diverged."""

import math

import numpy as np

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import twins
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import norm_styles
from bnviz.experiments.kit.results import Results
from bnviz.records.records import ArmMeasured, StageMeasured

NORMS = ("none", "batch", "layer")
STAGE = Stage("training", "training", RunConfig(arms=tuple(ArmConfig(norm=norm) for norm in NORMS), trials=2))


def results_of(losses: list[list[list[float]]]) -> Results:
    """Losses by measurement, arm and seed; a loss that is not finite has diverged."""
    results = Results([STAGE])
    for frame, rows in enumerate(losses):
        arms = []
        for row in rows:
            lost = np.where(np.isfinite(row), -1, frame).astype(np.int32)
            arms.append(ArmMeasured({"train_loss": np.array(row, np.float32)}, {}, {}, {}, lost))
        results.add(StageMeasured(frame, 0, 10 * frame, 0.5, False, tuple(arms), {}))
    return results


def test_only_pairs_of_which_both_are_known_count():
    found = Labelled(np.array([[1.0, 2.0, np.nan], [4.0, np.inf, 6.0]]), {"arm": ("none", "batch"), "seed": (0, 1, 2)})
    none, batch = twins.known_pairs(found)
    assert (none.tolist(), batch.tolist()) == ([1], [4])


def test_diverged_nets_are_counted_by_name():
    lost = results_of([[[1.0, 1.0], [1.0, 1.0], [math.nan, math.nan]]])
    assert twins.diverged(lost) == ""
    assert twins.diverged(lost, styles=norm_styles(*NORMS)) == "Diverged and left out: 2 of layer norm."
