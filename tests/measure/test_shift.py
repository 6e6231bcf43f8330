"""Definition 2.1 of Santurkar et al. 2018 against half-updated torch.nn networks, one at a time."""

import copy

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig
from bnviz.measure.shift import compare, layer_index
from tests.measure.moments import BATCH, PLAIN, graded, layers_of, measured, moments


def REFERENCE(moment, trial):
    """Networks updated up to a layer, one at a time."""
    layers, batch = layers_of(moment, trial), (moment.inputs[trial], moment.labels[trial])
    graded(layers, *batch)
    before = [layer[0].weight.grad.flatten().clone() for layer in list(layers)[:-1]]
    expected = {"shift": [], "shift_relative": [], "shift_cosine": []}
    for i, gradient in enumerate(before):
        half = copy.deepcopy(layers)
        with torch.no_grad():
            for old, new in zip(list(layers)[:i], list(half)[:i], strict=True):
                for p, q in zip(old.parameters(), new.parameters(), strict=True):
                    q -= moment.arm.arm.lr * p.grad
        graded(half, *batch)
        after = half[i][0].weight.grad.flatten()
        difference = float(sum((a - b) ** 2 for a, b in zip(after, gradient, strict=True)) ** 0.5)
        expected["shift"].append(difference)
        expected["shift_relative"].append(difference / float(gradient.norm()))
        expected["shift_cosine"].append(float(after @ gradient / (after.norm() * gradient.norm())))
    return expected


@pytest.mark.parametrize("norm", ["none", "batch", "batch_noisy", "layer"])
def test_the_first_layer_has_nothing_below_it(norm):
    arm = ArmConfig(norm=norm, lr=0.5, momentum=0.9, norm_on_input=norm == "batch")
    got = measured("shift", moments((arm,), depth=4)[0])
    assert (got["shift"][:, 0] == 0).all()
    assert (got["shift_relative"][:, 0] == 0).all()
    assert (got["shift_cosine"][:, 0] == 1).all()
    assert (got["shift"][:, 1:] > 0).all()


def test_no_step_no_shift():
    moment = moments((BATCH,))[0]
    moment.arm.direction = torch.zeros_like(moment.arm.direction)
    got = measured("shift", moment)
    assert (got["shift"] == 0).all()
    assert (got["shift_cosine"] == 1).all()


def test_a_net_without_gradient_and_a_diverged_trial():
    moment = moments((PLAIN,))[0]
    read_out = moment.arm.net.parameters.views["weight3"]
    read_out.data.zero_()  # no gradient gets below the read-out
    moment.arm.diverged[1] = True
    got = measured("shift", moment)
    assert (got["shift"][0] == 0).all()
    assert np.isnan(got["shift_relative"][0]).all()
    assert np.isnan(got["shift"][1]).all()


def test_compare():
    a, b = torch.tensor([3.0, 4.0]), torch.tensor([4.0, -3.0])
    distance, relative, cosine = (float(value) for value in compare(a, b))
    assert (distance, relative) == pytest.approx((50**0.5, 50**0.5 / 5))
    assert cosine == pytest.approx(0, abs=1e-6)
    assert float(compare(a, a)[2]) == 1


def test_layer_of_a_parameter():
    assert [layer_index(name) for name in ("weight0", "gamma12", "gamma_input")] == [0, 12, 0]
