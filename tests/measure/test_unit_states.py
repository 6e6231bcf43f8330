"""States of units, sample by sample."""

import numpy as np
import torch

from tests.measure.moments import PLAIN, measured, moments, tensors_of


def REFERENCE(moment, trial):
    posts = tensors_of(moment, trial)["post_activation"]
    return {"unit_states": [[any(value != 0 for value in post[:, unit]) for unit in range(post.shape[1])] for post in posts]}


def test_a_unit_that_was_killed():
    moment = moments((PLAIN,))[0]
    moment.arm.net.parameters.views["bias1"].data[1, 0, 2] = -1e3
    got = measured("unit_states", moment)["unit_states"]
    np.testing.assert_array_equal(got[1], REFERENCE(moment, 1)["unit_states"])
    assert got[1, 1, 2] == 0


def test_unit_states_of_an_overflow():
    moment = moments((PLAIN,))[0]
    moment.arm.net.parameters.views["weight0"].data[0] = torch.nan
    assert np.isnan(measured("unit_states", moment)["unit_states"][0]).all()
