"""Mean and standard deviation against loops over the entries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.measure.mean_and_std import mean_and_std
from tests.measure.moments import tensors_of

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)


SHAPES = hnp.array_shapes(min_dims=3, max_dims=4, min_side=1, max_side=6)


VALUES = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(0.0), st.just(-0.0), st.floats(-4, 4, width=32)))


def _each(values: np.ndarray):
    """(index, batch of samples as lists) for every network of the stack."""
    for index in np.ndindex(values.shape[:-2]):
        yield index, values[index].tolist()


def REFERENCE(moment, trial):
    expected = {}
    for name, layers in tensors_of(moment, trial).items():
        means = [math.fsum(values.flat) / values.size for values in layers]
        expected[f"{name}_mean"] = means
        expected[f"{name}_std"] = [
            math.sqrt(math.fsum((value - mean) ** 2 for value in values.flat) / values.size)
            for values, mean in zip(layers, means, strict=True)
        ]
    return expected


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
