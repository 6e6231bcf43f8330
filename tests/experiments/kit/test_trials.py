"""A sweep on the trial axis: every value with every seed, and what it refuses."""

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.experiments.kit.trials import decades, swept_stage

RUN = RunConfig(arms=(ArmConfig(norm="none", depth=2), ArmConfig(norm="batch", depth=3)), steps=7)


def test_the_seeds_of_a_value_are_side_by_side_in_every_arm():
    stage = swept_stage("sweep", "all rates", RUN, "lr", (0.1, 0.2), 3, ("train_loss",))
    assert stage.run is not None
    assert stage.trial_axes == {"lr": (0.1, 0.2), "seed": (0, 1, 2)}
    assert stage.run.trial_seeds == (0, 1, 2, 0, 1, 2)
    assert stage.run.trials == 6
    assert [arm.per_trial.lr for arm in stage.run.arms] == [(0.1, 0.1, 0.1, 0.2, 0.2, 0.2)] * 2
    assert [arm.depth for arm in stage.run.arms] == [2, 3]
    assert (stage.key, stage.label, stage.keep, stage.run.steps) == ("sweep", "all rates", ("train_loss",), 7)


@pytest.mark.parametrize(("values", "seeds"), [((), 3), ((0.1,), 0)])
def test_nothing_is_no_sweep(values, seeds):
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        swept_stage("sweep", "", RUN, "lr", values, seeds, ())


def test_a_value_that_the_setting_does_not_allow_is_refused():
    with pytest.raises(ValueError, match="greater than"):
        swept_stage("sweep", "", RUN, "lr", (-1.0,), 1, ())


def test_decades_are_evenly_spaced_in_the_logarithm():
    values = decades(1e-3, 10, 9)
    assert values[0] == 0.001
    assert values[-1] == 10
    np.testing.assert_allclose(np.diff(np.log10(values)), 0.5, atol=2e-3)
