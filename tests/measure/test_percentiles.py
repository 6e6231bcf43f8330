"""Percentiles against np.percentile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.measure.distributions import percentiles
from bnviz.records.records import PERCENTILES
from tests.measure.moments import tensors_of

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)


SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=12)


NEAR = st.floats(-8, 8, width=32)


FINITE = st.floats(-(2.0**100), 2.0**100, width=32)


def REFERENCE(moment, trial):
    tensors = tensors_of(moment, trial)
    return {f"{name}_percentiles": [np.percentile(values, PERCENTILES) for values in layers] for name, layers in tensors.items()}


@PROPERTY
@given(hnp.arrays(np.float32, SHAPES, elements=NEAR))
def test_percentiles_against_numpy(values):
    expected = np.moveaxis(np.percentile(values.astype(np.float64), PERCENTILES, axis=-1), 0, -1)
    got = percentiles(values)
    assert got.shape == expected.shape
    # the share between two neighbours and their difference are rounded to float32: a few units in the last place
    np.testing.assert_allclose(got, expected, rtol=0, atol=4 * np.finfo(np.float32).eps * max(1.0, np.abs(values).max()))


@PROPERTY
@given(hnp.arrays(np.float32, SHAPES, elements=FINITE), st.randoms(use_true_random=False))
def test_percentiles_ascend_stay_within_and_ignore_order(values, random):
    got = percentiles(values)
    scale = np.abs(values).max(axis=-1, keepdims=True)
    assert (np.diff(got, axis=-1) >= -1e-6 * scale).all()
    assert (got >= values.min(axis=-1, keepdims=True)).all()
    assert (got <= values.max(axis=-1, keepdims=True) + 1e-6 * scale).all()
    order = list(range(values.shape[-1]))
    random.shuffle(order)
    np.testing.assert_array_equal(percentiles(values[..., order]), got)


def test_percentiles_of_one_value_and_of_a_constant():
    assert percentiles(np.array([3.0], np.float32)).tolist() == [3.0] * len(PERCENTILES)
    assert percentiles(np.full((2, 9), -1.5, np.float32)).tolist() == [[-1.5] * len(PERCENTILES)] * 2


def test_percentiles_refuse_an_empty_axis():
    with pytest.raises(ValueError, match=r"shape \(3, 0\)"):
        percentiles(np.zeros((3, 0), np.float32))
