"""Mean, spread, dead and saturated units against loops in Python."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.measure.units import dead_relu_count, mean_and_std, saturated_fraction, zero_fraction
from bnviz.registry.activations import ACTIVATIONS

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=3, max_dims=4, min_side=1, max_side=6)
RELU_OUTPUTS = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(0.0), st.floats(0, 4, width=32)))
VALUES = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(0.0), st.just(-0.0), st.floats(-4, 4, width=32)))


def _each(values: np.ndarray):
    """(index, batch of samples as lists) for every network of the stack."""
    for index in np.ndindex(values.shape[:-2]):
        yield index, values[index].tolist()


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
@given(VALUES)
def test_zero_fraction_against_a_loop(values):
    got = zero_fraction(torch.from_numpy(values))
    for index, batch in _each(values):
        entries = [value for sample in batch for value in sample]
        assert got[index] == pytest.approx(sum(value == 0 for value in entries) / len(entries), abs=1e-6)


@PROPERTY
@given(VALUES)
def test_mean_and_std_against_a_loop(values):
    means, stds = mean_and_std(torch.from_numpy(values))
    for index, batch in _each(values):
        entries = [value for sample in batch for value in sample]
        mean = math.fsum(entries) / len(entries)
        std = math.sqrt(math.fsum((value - mean) ** 2 for value in entries) / len(entries))
        assert means[index] == pytest.approx(mean, abs=2e-6)
        assert stds[index] == pytest.approx(std, abs=2e-6)


def test_std_survives_a_large_mean():
    """One pass, E[x^2] - E[x]^2, would give 0, 45 or NaN here."""
    values = 10_000 + torch.tensor([-1.0, 1.0]).repeat(500).view(1, 100, 10)
    mean, std = mean_and_std(values)
    assert mean.item() == pytest.approx(10_000, rel=1e-6)
    assert std.item() == pytest.approx(1.0, rel=1e-3)


def test_std_of_a_constant_is_zero():
    _, std = mean_and_std(torch.full((2, 8, 4), 0.1))
    assert std.max() < 1e-7


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
