"""Histograms against a loop over the bins' edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnviz.measure.histograms import histogram
from bnviz.records.records import BIN_COUNT, BIN_EDGES, BIN_RANGE
from tests.measure.moments import tensors_of

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=12)
NEAR = st.floats(-8, 8, width=32)
FINITE = st.floats(-(2.0**100), 2.0**100, width=32)
ANY = st.one_of(NEAR, FINITE, st.sampled_from([float(np.float32(edge)) for edge in BIN_EDGES]))


def _naive_histogram(row: np.ndarray) -> list[int]:
    counts = [0] * (BIN_COUNT + 2)
    for value in row.tolist():
        if value < BIN_EDGES[0]:
            counts[0] += 1
        elif value >= BIN_EDGES[-1]:
            counts[-1] += 1
        else:
            (place,) = (i for i in range(BIN_COUNT) if BIN_EDGES[i] <= value < BIN_EDGES[i + 1])
            counts[place + 1] += 1
    return counts


def REFERENCE(moment, trial):
    tensors = tensors_of(moment, trial)
    return {f"{name}_histograms": [_naive_histogram(values.ravel()) for values in layers] for name, layers in tensors.items()}


@PROPERTY
@given(hnp.arrays(np.float32, SHAPES, elements=ANY))
def test_histogram_against_a_loop_over_the_edges(values):
    got = histogram(values)
    assert got.shape == (*values.shape[:-1], BIN_COUNT + 2)
    for row, counts in zip(values.reshape(-1, values.shape[-1]), got.reshape(-1, BIN_COUNT + 2), strict=True):
        assert counts.tolist() == _naive_histogram(row)


@PROPERTY
@given(hnp.arrays(np.float32, SHAPES, elements=ANY), st.randoms(use_true_random=False))
def test_histogram_conserves_mass_and_ignores_order(values, random):
    got = histogram(values)
    assert (got.sum(axis=-1) == values.shape[-1]).all()
    order = list(range(values.shape[-1]))
    random.shuffle(order)
    np.testing.assert_array_equal(histogram(values[..., order]), got)


def test_histogram_of_what_lies_outside():
    values = np.array([-np.inf, -1e30, np.nextafter(np.float32(BIN_RANGE[0]), -np.inf), BIN_RANGE[1], 1e30, np.inf], np.float32)
    got = histogram(values)
    assert got[0] == 3
    assert got[-1] == 3
    assert got[1:-1].sum() == 0


def test_a_value_on_an_edge_belongs_to_the_bin_on_its_right():
    got = histogram(BIN_EDGES[:-1].astype(np.float32))
    assert (got[1:-1] == 1).all()
    assert got[0] == got[-1] == 0


def test_histogram_refuses_nan():
    with pytest.raises(ValueError, match="NaN"):
        histogram(np.array([0.0, np.nan], np.float32))


def test_histogram_keeps_rows_apart_when_there_are_many():
    values = np.random.default_rng(0).normal(0, 3, (6, 100, 7)).astype(np.float32)
    got = histogram(values)
    assert [got[i, j].tolist() for i, j in ((0, 0), (2, 57), (5, 99))] == [
        _naive_histogram(values[i, j]) for i, j in ((0, 0), (2, 57), (5, 99))
    ]
    assert (got.sum(axis=-1) == 7).all()
