"""First-order fidelity against the losses before and after a step of torch.nn networks."""

import copy

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig
from bnviz.measure.fidelity import SCALES
from tests.measure.moments import BATCH, PLAIN, graded, layers_of, measured, moments, moved

RATE = PLAIN.lr


def REFERENCE(moment, trial):
    layers, batch = layers_of(moment, trial), (moment.inputs[trial], moment.labels[trial])
    start = graded(layers, *batch)
    gradients = [p.grad.clone() for p in layers.parameters()]
    square = sum(float(g.square().sum()) for g in gradients)
    profile = []
    for scale in SCALES:
        there = copy.deepcopy(layers)
        moved(there, gradients, scale * RATE)
        profile.append((graded(there, *batch) - start) / (-scale * RATE * square))
    now = profile[SCALES.index(1.0)]
    return {
        "fidelity": now,
        "fidelity_profile": profile,
        "fidelity_predicted": -RATE * square,
        "fidelity_actual": now * -RATE * square,
    }


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_small_steps_keep_their_promise(optimizer):
    arms = tuple(
        ArmConfig(norm=norm, lr=1e-5, momentum=0.9, optimizer=optimizer, activation="tanh") for norm in ("none", "batch")
    )
    for moment in moments(arms):
        assert measured("fidelity", moment)["fidelity"] == pytest.approx(np.ones(2), abs=5e-3)


def test_fidelity_of_no_step_and_of_a_step_without_bounds():
    moment = moments((BATCH,))[0]
    still = moment.arm.direction
    moment.arm.direction = torch.zeros_like(still)
    assert np.isnan(measured("fidelity", moment)["fidelity"]).all()
    moment.arm.direction = still * 1e200
    assert not np.isinf(measured("fidelity", moment)["fidelity"]).any()
