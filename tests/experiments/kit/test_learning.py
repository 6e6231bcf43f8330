"""Final losses and steps to a loss by name, on made-up sweeps, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit.learning import final_loss, guessing_loss, learned, steps_until
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.trials import swept_stage
from bnviz.records.records import ArmMeasured, StageMeasured

NAN, INF = math.nan, math.inf
RUN = RunConfig(arms=(ArmConfig(norm="none"), ArmConfig(norm="batch")))


def swept(none: list[list[float]], batch: list[list[float]], lost: tuple[int, ...] = (), every: int = 10) -> Results:
    """Two rates with two seeds; one row of four losses per measurement of each arm; `lost` are the plain trials that diverged."""
    results = Results([swept_stage("sweep", "sweep", RUN, "lr", (0.1, 1.0), 2, ("train_loss",))])
    gone = np.where(np.isin(np.arange(4), lost), 3, -1).astype(np.int32)
    for frame, rows in enumerate(zip(none, batch, strict=True)):
        arms = tuple(
            ArmMeasured({"train_loss": np.array(row, np.float32)}, {}, {}, {}, at)
            for row, at in zip(rows, (gone, np.full(4, -1, np.int32)), strict=True)
        )
        results.add(StageMeasured(frame, 0, every * frame, 0.5, False, arms, {}))
    return results


def test_the_final_loss_is_the_mean_over_the_last_tenth_and_infinite_for_a_diverged_trial():
    none = [[9.0] * 4] * 18 + [[3.0, 2.0, NAN, 4.0], [1.0, NAN, NAN, 6.0], [2.0, NAN, NAN, 8.0]]
    batch = [[9.0] * 4] * 18 + [[1.0] * 4, [2.0] * 4, [6.0] * 4]
    found = final_loss(swept(none, batch, lost=(3,)))
    assert found.axes == {"arm": ("none", "batch"), "lr": (0.1, 1.0), "seed": (0, 1)}
    np.testing.assert_allclose(found.at(arm="none", lr=0.1).values, [2.0, INF])
    np.testing.assert_allclose(found.at(arm="none", lr=1.0).values, [INF, INF])
    np.testing.assert_allclose(found.at(arm="batch").values, 3.0)


def test_the_final_loss_of_a_run_that_has_just_begun_and_of_none():
    losses = [[2.5, 2.0, 1.5, 1.0]]
    np.testing.assert_allclose(final_loss(swept(losses, losses)).at(arm="none").values, [[2.5, 2.0], [1.5, 1.0]])
    with pytest.raises(LookupError, match="nothing was measured"):
        final_loss(Results([Stage("train", "train", RUN)]))


def test_steps_to_a_loss_lie_on_straight_lines_and_are_infinite_for_what_never_came():
    none = [[2.0, 2.0, 2.0, 0.5], [1.0, 2.0, NAN, 0.5], [0.0, 1.5, NAN, 0.5]]
    batch = [[4.0, 2.0, 2.0, 2.0], [0.0, 1.0, 2.0, 2.0], [0.0, 0.0, 2.0, 0.0]]
    found = steps_until(swept(none, batch), 1.0)
    np.testing.assert_allclose(found.at(arm="none").values, [[10.0, INF], [INF, 0.0]])
    np.testing.assert_allclose(found.at(arm="batch").values, [[7.5, 10.0], [INF, 15.0]])


def test_learned_is_half_of_the_loss_of_guessing():
    assert guessing_loss(10) == pytest.approx(2.302585)
    assert learned([1.15, 1.152, NAN, INF, 0.0], 10).tolist() == [True, False, False, False, True]
