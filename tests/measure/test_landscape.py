"""The landscape along the gradient against a loop over torch.nn networks."""

import copy

import numpy as np
import pytest

from bnviz.config.models import DatasetConfig
from bnviz.measure.landscape import LINE
from tests.measure.moments import BATCH, PLAIN, flat_gradient, graded, layers_of, measured, moments, moved

RATE = PLAIN.lr


def REFERENCE(moment, trial):
    """Point by point."""
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
    return {
        "landscape_losses": losses,
        "landscape_changes": changes,
        "landscape_range": max(losses) - min(losses),
        "landscape_predictiveness": max(changes),
        "landscape_smoothness": max(slopes),
    }


def test_landscape_where_the_rate_is_each_trials_own():
    arm = BATCH.model_copy(update={"per_trial": BATCH.per_trial.model_copy(update={"lr": (0.2, 0.02)})})
    got = measured("landscape", moments((arm,), step=0, trial_seeds=(0, 0))[0])
    same = measured("landscape", moments((BATCH,), step=0)[0])
    assert got["landscape_losses"][0] == pytest.approx(same["landscape_losses"][0], rel=1e-6)
    assert got["landscape_range"][1] < got["landscape_range"][0]


def test_landscape_of_a_flat_place():
    """Read-out and hidden biases that give every class the same, with each class equally often: no gradient at all."""
    dataset = DatasetConfig(name="moons", train_size=8, test_size=8, noise=0)
    moment = moments((PLAIN,), step=0, dataset=dataset, batch_size=8, probe_size=8)[0]
    moment.arm.net.parameters.flat.zero_()
    got = measured("landscape", moment)
    assert (got["landscape_range"] == 0).all()
    assert np.isnan(got["landscape_smoothness"]).all()


@pytest.mark.parametrize("extra", ["landscape", "fidelity", "surface", "shift"])
def test_one_network_alone_is_measured_like_the_first_of_two(extra):
    """What is measured on copies of the networks, whose parameters lie apart in memory when there is one trial."""
    for alone, pair in zip(moments(trials=1), moments(trials=2), strict=True):
        for name, values in measured(extra, alone).items():
            np.testing.assert_allclose(values[0], measured(extra, pair)[name][0], rtol=1e-5)
