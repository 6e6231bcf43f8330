"""Saturated outputs against a loop over the entries."""

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig
from bnviz.measure.saturated_fraction import saturated_fraction
from bnviz.registry.activations import ACTIVATIONS
from tests.measure.moments import measured, moments, tensors_of


def _each(values: np.ndarray):
    """(index, batch of samples as lists) for every network of the stack."""
    for index in np.ndindex(values.shape[:-2]):
        yield index, values[index].tolist()


SETTING = {"arms": tuple(ArmConfig(norm="batch", activation=name, init_gain=9.0, gamma_init=3.0) for name in ("tanh", "sigmoid"))}


def REFERENCE(moment, trial):
    low = {"tanh": -0.95, "sigmoid": 0.05}[moment.arm.arm.activation]
    posts = tensors_of(moment, trial)["post_activation"]
    return {"saturated_fraction": [sum(value < low or value > 0.95 for value in post.flat) / post.size for post in posts]}


def test_other_activations_do_not_saturate():
    (moment,) = moments((ArmConfig(activation="relu"),), step=0)
    assert np.isnan(measured("saturated_fraction", moment)["saturated_fraction"]).all()


@pytest.mark.parametrize(("name", "outside"), [("tanh", lambda t: abs(t) > 0.95), ("sigmoid", lambda t: not 0.05 <= t <= 0.95)])
def test_saturated_fraction_against_a_loop(name, outside):
    activation = ACTIVATIONS[name]
    assert activation.linear_range is not None
    pre = torch.randn(3, 40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 4
    post = activation.load()(pre)
    got = saturated_fraction(post, activation.linear_range)
    for index, batch in _each(post.numpy()):
        entries = [value for sample in batch for value in sample]
        share = sum(outside(value) for value in entries) / len(entries)
        assert 0.1 < share < 0.9
        assert got[index].item() == pytest.approx(share, abs=1e-12)


def test_saturated_fraction_extremes():
    assert saturated_fraction(torch.tensor([[[0.95, 0.05, 0.5]]], dtype=torch.float64), (0.05, 0.95)).item() == 0
    assert saturated_fraction(torch.tensor([[[1.0, -1.0, 0.96]]]), (-0.95, 0.95)).item() == 1
