"""Dead units against a loop over units and samples."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.config.models import ArmConfig
from bnviz.measure.dead_relu_count import dead_relu_count
from bnviz.measure.mean_and_std import mean_and_std
from bnviz.measure.zero_fraction import zero_fraction
from tests.measure.moments import PLAIN, measured, moments, tensors_of

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=3, max_dims=4, min_side=1, max_side=6)
RELU_OUTPUTS = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(0.0), st.floats(0, 4, width=32)))
VALUES = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(0.0), st.just(-0.0), st.floats(-4, 4, width=32)))


def _each(values: np.ndarray):
    """(index, batch of samples as lists) for every network of the stack."""
    for index in np.ndindex(values.shape[:-2]):
        yield index, values[index].tolist()


def REFERENCE(moment, trial):
    posts = tensors_of(moment, trial)["post_activation"]
    return {"dead_relu_count": [sum(not any(post[:, unit]) for unit in range(post.shape[1])) for post in posts]}


SETTING = {"arms": tuple(ArmConfig(norm=norm, lr=0.2, init_gain=2.0, beta_init=-1.0) for norm in ("none", "batch"))}


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu"])
def test_only_relus_die(activation):
    (moment,) = moments((ArmConfig(activation=activation),), step=0)
    assert np.isnan(measured("dead_relu_count", moment)["dead_relu_count"]).all()


def test_an_overflow_is_not_dead():
    (moment,) = moments((PLAIN,), step=0)
    moment.arm.net.parameters.views["weight1"].data[0] = torch.nan
    got = measured("dead_relu_count", moment)["dead_relu_count"]
    assert np.isnan(got[0, 1:]).all()
    assert np.isfinite(got[1]).all()


@PROPERTY
@given(RELU_OUTPUTS)
def test_dead_relu_count_against_a_loop(values):
    got = dead_relu_count(torch.from_numpy(values))
    assert got.dtype == torch.int64
    assert got.shape == values.shape[:-2]
    for index, batch in _each(values):
        dead = 0
        for unit in range(len(batch[0])):
            if all(sample[unit] == 0 for sample in batch):
                dead += 1
        assert got[index] == dead


def test_sparse_is_not_dead():
    post = torch.relu(torch.randn(3, 64, 50, generator=torch.Generator().manual_seed(0)))
    assert dead_relu_count(post).tolist() == [0, 0, 0]
    assert (zero_fraction(post) - 0.5).abs().max() < 5 * 0.5 / math.sqrt(64 * 50)


def test_dead_relu_count_extremes():
    assert dead_relu_count(torch.zeros(2, 5, 7)).tolist() == [7, 7]
    assert dead_relu_count(torch.full((1, 1, 4), 1e-45)).tolist() == [0]  # the smallest float is not 0
    assert dead_relu_count(torch.tensor([[[-0.0, 0.0]]])).tolist() == [2]


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 0, 3)])
def test_dead_relu_count_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"wanted .*batch"):
        dead_relu_count(torch.zeros(shape))


def test_dead_relu_count_refuses_what_no_relu_puts_out():
    with pytest.raises(ValueError, match="negative"):
        dead_relu_count(torch.tensor([[[1.0, -1e-3]]]))


@PROPERTY
@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(values, random):
    order = list(range(values.shape[-2]))
    random.shuffle(order)
    first, second = torch.from_numpy(values), torch.from_numpy(values[..., order, :])
    assert torch.equal(dead_relu_count(first.abs()), dead_relu_count(second.abs()))
    assert torch.equal(zero_fraction(first), zero_fraction(second))
    for a, b in zip(mean_and_std(first), mean_and_std(second), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
