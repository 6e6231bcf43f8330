"""The drift of a distribution between measurements, and measurements of a net that overflows."""

import itertools

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.measure.distributions import percentiles
from bnviz.measure.drift import drift
from bnviz.records.records import PERCENTILES, TENSORS, StepMeasured
from bnviz.training.run import run
from tests.measure.moments import tensors_of


def _naive(before, now):
    moved = sum(abs(float(b) - float(a)) for a, b in zip(before, now, strict=True)) / len(PERCENTILES)
    return moved / ((float(before[3]) - float(before[1])) / 2)


BEFORE = np.sort(np.random.default_rng(2).normal(size=(1, 3, 5)), axis=-1)
SETTING = {"memory": {"drift": dict.fromkeys(TENSORS, BEFORE)}}


def REFERENCE(moment, trial):
    if trial:
        return {f"{name}_drift": [np.nan] * 3 for name in TENSORS}  # only the first one's distributions are recorded
    return {
        f"{name}_drift": [
            _naive(before, np.percentile(values, PERCENTILES)) for before, values in zip(BEFORE[0], layers, strict=True)
        ]
        for name, layers in tensors_of(moment, trial).items()
    }


def test_drift_against_a_loop():
    rng = np.random.default_rng(0)
    before, now = (np.sort(rng.normal(size=(2, 3, 5)).astype(np.float32), axis=-1) for _ in range(2))
    got = drift(before, now)
    assert got.shape == (2, 3)
    for index in np.ndindex(2, 3):
        assert got[index] == pytest.approx(_naive(before[index], now[index]), rel=1e-5)


def test_a_shift_by_one_standard_deviation_of_a_gaussian_is_about_one():
    values = np.random.default_rng(1).normal(3, 2, 200_000).astype(np.float32)
    shifted = drift(percentiles(values), percentiles(values + 2))
    assert shifted == pytest.approx(1 / 1.0364, rel=0.01)  # the 85th percentile of N(0, 1) is 1.0364


def test_no_movement_is_zero_and_no_spread_is_nan():
    same = np.array([-2, -1, 0, 1, 2], np.float32)
    assert drift(same, same) == 0
    assert np.isnan(drift(np.zeros(5, np.float32), same))


def _frames(**settings) -> list[StepMeasured]:
    config = RunConfig(dataset=DatasetConfig(name="moons", train_size=80, test_size=20), batch_size=16, probe_size=40, **settings)
    return [record for record in run(config) if isinstance(record, StepMeasured)]


@pytest.mark.parametrize(("extras", "shown"), [((), 1), (("all_trial_distributions",), 3)])
def test_a_run_records_the_drift_between_its_measurements(extras, shown):
    frames = _frames(arms=(ArmConfig(depth=2, width=8, norm="batch"),), steps=6, measure_every=3, trials=3, extras=extras)
    assert all(np.isnan(frames[0].arms[0].layers[f"{tensor}_drift"]).all() for tensor in TENSORS)
    for last, frame in itertools.pairwise(frames):
        for tensor in TENSORS:
            got = frame.arms[0].layers[f"{tensor}_drift"]
            assert got.shape == (3, 2)
            assert np.isnan(got[shown:]).all()
            expected = drift(last.arms[0].percentiles[tensor], frame.arms[0].percentiles[tensor])
            np.testing.assert_array_equal(got[:shown], expected)


def test_a_net_that_overflows_is_measured_and_not_a_crash():
    arm = ArmConfig(depth=20, width=32, activation="linear", init_gain=1e4, lr=1e-6)
    frames = _frames(arms=(arm,), steps=2, measure_every=1, trials=2)
    assert (frames[-1].arms[0].diverged_at == 0).all()
    assert np.isnan(frames[-1].arms[0].percentiles["pre_norm"]).all()
    assert frames[-1].arms[0].histograms["pre_norm"].sum() == 0
