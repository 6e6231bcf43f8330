"""Landscape and fidelity against loops over torch.nn networks."""

import copy

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig, DatasetConfig
from bnviz.measure.extras import EXTRAS
from bnviz.measure.fidelity import SCALES, fidelity_extra
from bnviz.measure.landscape import LINE, landscape_extra
from tests.measure.moments import BATCH, PLAIN, flat_gradient, graded, layers_of, moments, moved

RATE = PLAIN.lr


@pytest.fixture(scope="module")
def both():
    return moments()


def test_landscape_point_by_point(both):
    for moment in both:
        got = landscape_extra(moment)
        for trial in range(2):
            layers, batch = layers_of(moment, trial), (moment.inputs[trial], moment.labels[trial])
            graded(layers, *batch)
            gradient = flat_gradient(layers).clone()
            losses, changes, slopes = [], [], []
            for share in LINE:
                there = copy.deepcopy(layers)
                moved(there, [p.grad for p in layers.parameters()], share * RATE)
                losses.append(graded(there, *batch))
                changes.append(float((flat_gradient(there) - gradient).norm()))
                slopes.append(changes[-1] / (share * RATE * float(gradient.norm())))
            np.testing.assert_allclose(got["landscape_losses"][trial], losses, rtol=1e-5)
            np.testing.assert_allclose(got["landscape_changes"][trial], changes, rtol=1e-5)
            assert got["landscape_range"][trial] == pytest.approx(max(losses) - min(losses), rel=1e-5)
            assert got["landscape_predictiveness"][trial] == pytest.approx(max(changes), rel=1e-5)
            assert got["landscape_smoothness"][trial] == pytest.approx(max(slopes), rel=1e-5)


def test_landscape_where_the_rate_is_each_trials_own():
    arm = BATCH.model_copy(update={"per_trial": BATCH.per_trial.model_copy(update={"lr": (0.2, 0.02)})})
    got = landscape_extra(moments((arm,), step=0, trial_seeds=(0, 0))[0])
    same = landscape_extra(moments((BATCH,), step=0)[0])
    assert got["landscape_losses"][0] == pytest.approx(same["landscape_losses"][0], rel=1e-6)
    assert got["landscape_range"][1] < got["landscape_range"][0]


def test_landscape_of_a_flat_place():
    """Read-out and hidden biases that give every class the same, with each class equally often: no gradient at all."""
    dataset = DatasetConfig(name="moons", train_size=8, test_size=8, noise=0)
    moment = moments((PLAIN,), step=0, dataset=dataset, batch_size=8, probe_size=8)[0]
    moment.arm.net.parameters.flat.zero_()
    got = landscape_extra(moment)
    assert (got["landscape_range"] == 0).all()
    assert np.isnan(got["landscape_smoothness"]).all()


def test_fidelity_against_the_losses_before_and_after_a_step(both):
    for moment in both:
        got = fidelity_extra(moment)
        for trial in range(2):
            layers, batch = layers_of(moment, trial), (moment.inputs[trial], moment.labels[trial])
            start = graded(layers, *batch)
            gradients = [p.grad.clone() for p in layers.parameters()]
            square = sum(float(g.square().sum()) for g in gradients)
            expected = []
            for scale in SCALES:
                there = copy.deepcopy(layers)
                moved(there, gradients, scale * RATE)
                expected.append((graded(there, *batch) - start) / (-scale * RATE * square))
            np.testing.assert_allclose(got["fidelity_profile"][trial], expected, rtol=1e-5)
            assert got["fidelity"][trial] == pytest.approx(expected[SCALES.index(1.0)], rel=1e-5)
            assert got["fidelity_predicted"][trial] == pytest.approx(-RATE * square, rel=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_small_steps_keep_their_promise(optimizer):
    arms = tuple(
        ArmConfig(norm=norm, lr=1e-5, momentum=0.9, optimizer=optimizer, activation="tanh") for norm in ("none", "batch")
    )
    for moment in moments(arms):
        assert fidelity_extra(moment)["fidelity"] == pytest.approx(np.ones(2), abs=5e-3)


def test_fidelity_of_no_step_and_of_a_step_without_bounds():
    moment = moments((BATCH,))[0]
    still = moment.arm.direction
    moment.arm.direction = torch.zeros_like(still)
    assert np.isnan(fidelity_extra(moment)["fidelity"]).all()
    moment.arm.direction = still * 1e200
    assert not np.isinf(fidelity_extra(moment)["fidelity"]).any()


@pytest.mark.parametrize("extra", ["landscape", "fidelity", "surface", "shift"])
def test_one_network_alone_is_measured_like_the_first_of_two(extra):
    """What is measured on copies of the networks, whose parameters lie apart in memory when there is one trial."""
    for alone, pair in zip(moments(trials=1), moments(trials=2), strict=True):
        for name, values in EXTRAS[extra](alone).items():
            np.testing.assert_allclose(values[0], EXTRAS[extra](pair)[name][0], rtol=1e-5)
