"""Layout of a sweep on the trial axis, final losses, usable ranges and their ratio."""

import math
import subprocess
import sys

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, PerTrial, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import (
    UsableRange,
    by_value,
    decades,
    final_losses,
    guessing_loss,
    highest_ratio,
    learned,
    plain,
    spread_of,
    stacked,
    usable_range,
)
from bnviz.records.records import ArmMeasured, StageMeasured

NAN, INF = math.nan, math.inf


def test_stacked_puts_the_seeds_of_a_value_side_by_side():
    values, seeds = stacked((0.1, 0.2), 3)
    assert values == (0.1, 0.1, 0.1, 0.2, 0.2, 0.2)
    assert seeds == (0, 1, 2, 0, 1, 2)
    config = RunConfig(arms=(ArmConfig(per_trial=PerTrial(lr=values)),), trials=6, trial_seeds=seeds)
    assert config.arms[0].per_trial.lr == values


@pytest.mark.parametrize(("values", "seeds"), [((), 3), ((0.1,), 0)])
def test_stacked_refuses_nothing(values, seeds):
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        stacked(values, seeds)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_by_value_undoes_stacked_on_any_axis(axis):
    values, seeds = (5.0, 7.0, 9.0), 2
    trials = np.array(stacked(values, seeds)).T  # (6, 2): value and seed of each trial
    array = np.moveaxis(np.broadcast_to(trials[:, 0] * 10 + trials[:, 1], (4, 3, 6)), -1, axis)
    split = by_value(array, values, seeds, axis)
    where = axis % 3
    for v, value in enumerate(values):
        for s in range(seeds):
            assert (split.take(v, where).take(s, where) == value * 10 + s).all()


def test_by_value_refuses_another_number_of_trials():
    with pytest.raises(ValueError, match="received 5, wanted 2 values x 3 seeds"):
        by_value(np.zeros((4, 5)), (1, 2), 3)


def test_decades_are_evenly_spaced_in_the_logarithm():
    values = decades(1e-3, 10, 9)
    assert values[0] == 0.001
    assert values[-1] == 10
    np.testing.assert_allclose(np.diff(np.log10(values)), 0.5, atol=2e-3)


def results_of(losses: list[list[float]], diverged_at: list[int], every: int = 10) -> Results:
    """One arm, one stage, measured every `every` steps."""
    results = Results([Stage(key, key) for key in ["train"]])
    for frame, row in enumerate(losses):
        arm = ArmMeasured({"train_loss": np.array(row, np.float32)}, {}, {}, {}, np.array(diverged_at, np.int32))
        results.add(StageMeasured(frame, 0, every * frame, 0.5, False, (arm,), {}))
    return results


def test_the_final_loss_is_the_mean_over_the_last_tenth_and_infinite_for_a_diverged_trial():
    losses = [[9.0, 9.0, 9.0, 9.0]] * 18 + [[3.0, 2.0, NAN, 4.0], [1.0, NAN, NAN, 6.0], [2.0, NAN, NAN, 8.0]]
    final = final_losses(results_of(losses, [-1, 150, -1, -1]), "train")
    np.testing.assert_allclose(final, [2.0, INF, INF, 6.0])


def test_the_final_loss_of_a_run_that_has_just_begun_and_of_none():
    np.testing.assert_allclose(final_losses(results_of([[2.5, 2.0]], [-1, -1]), "train"), [2.5, 2.0])
    with pytest.raises(LookupError, match="nothing was measured"):
        final_losses(Results([Stage(key, key) for key in ["train"]]), "train")


def test_learned_is_half_of_the_loss_of_guessing():
    assert guessing_loss(10) == pytest.approx(2.302585)
    assert learned([1.15, 1.152, NAN, INF, 0.0], 10).tolist() == [True, False, False, False, True]


def test_the_usable_range_is_found_seed_by_seed():
    #               seed 0  seed 1  seed 2 (never)
    losses = [[2.0, 0.1, 2.3], [0.5, 0.1, 2.3], [1.5, 0.1, 2.3], [0.5, INF, INF], [INF, INF, INF]]
    found = usable_range(np.ravel(losses), (0.01, 0.1, 1, 10, 100), 3, classes=10)
    np.testing.assert_array_equal(found.lowest, [0.1, 0.01, NAN])
    np.testing.assert_array_equal(found.highest, [10, 1, NAN])  # a gap inside does not end the range
    np.testing.assert_allclose(found.span, [100, 100, NAN])
    np.testing.assert_allclose(found.share, [0.4, 0.6, 0.0])
    assert found.ends_inside
    assert not usable_range(np.ravel(losses[:2]), (0.01, 0.1), 3, classes=10).ends_inside


def test_the_ratio_is_paired_by_seed_and_leaves_out_seeds_that_say_nothing():
    values = np.array([0.1, 1.0, 10.0])
    arm = UsableRange(values, np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 1, 0]], bool))  # highest 10, 1, 10, none
    reference = UsableRange(values, np.array([[1, 1, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0]], bool))  # 0.1, 1, none, 1
    ratio = highest_ratio(arm, reference)
    assert (ratio.median, ratio.low, ratio.high, ratio.count) == (50.5, 1.0, 100.0, 2)


def test_a_spread_takes_infinite_values_and_none():
    assert spread_of([1.0, INF, NAN]).median == INF
    assert spread_of([3.0, 1.0, INF]).median == 3.0
    assert str(spread_of([NAN])) == "unknown"
    assert str(spread_of([12.34, 11.0, 14.0])) == "12.3 (11 to 14, over 3 seeds)"
    assert str(spread_of([2.0])) == "2 (one seed)"


def test_numbers_have_three_digits():
    assert [plain(value) for value in (12345.6, 0.000123, 1.0, 3e9, INF)] == ["12300", "0.000123", "1", "3e+09", "infinite"]


def test_sweeps_need_no_torch():
    code = "import sys, bnviz.experiments.kit.sweeps; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
