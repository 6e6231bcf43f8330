"""Sparsity against a loop over the entries."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.measure.zero_fraction import zero_fraction
from tests.measure.moments import tensors_of

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)


SHAPES = hnp.array_shapes(min_dims=3, max_dims=4, min_side=1, max_side=6)


VALUES = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(0.0), st.just(-0.0), st.floats(-4, 4, width=32)))


def _each(values: np.ndarray):
    """(index, batch of samples as lists) for every network of the stack."""
    for index in np.ndindex(values.shape[:-2]):
        yield index, values[index].tolist()


def REFERENCE(moment, trial):
    posts = tensors_of(moment, trial)["post_activation"]
    return {"zero_fraction": [sum(value == 0 for value in post.flat) / post.size for post in posts]}


@PROPERTY
@given(VALUES)
def test_zero_fraction_against_a_loop(values):
    got = zero_fraction(torch.from_numpy(values))
    for index, batch in _each(values):
        entries = [value for sample in batch for value in sample]
        assert got[index] == pytest.approx(sum(value == 0 for value in entries) / len(entries), abs=1e-6)
