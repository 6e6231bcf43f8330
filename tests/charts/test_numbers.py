"""Bands, short numbers and packing against plain NumPy and plain loops."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnviz.charts.numbers import ALPHABET, band, band_words, pack, short, spread


@pytest.mark.parametrize("trials", [1, 2, 4, 5, 8, 32])
def test_band_is_quantiles_over_the_finite_trials(trials):
    values = np.random.default_rng(trials).normal(size=(trials, 3))
    edges = (0.16, 0.5, 0.84) if trials >= 5 else (0, 0.5, 1)
    np.testing.assert_allclose(band(values, trials), np.quantile(values, edges, axis=0))


def test_band_leaves_out_diverged_trials():
    values = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 7.0], [np.inf, 8.0], [2.0, np.nan]])
    expected = [np.quantile([1, 2, 3], (0.16, 0.5, 0.84)), np.quantile([5, 6, 7, 8], (0.16, 0.5, 0.84))]
    np.testing.assert_allclose(band(values, 5), np.transpose(expected))


def test_band_of_nothing_is_nan():
    assert np.isnan(band(np.full((4, 2), np.nan), 4)).all()
    assert np.isnan(band(np.full(6, np.nan), 6)).all()


def test_band_says_what_it_shows():
    assert "16th to 84th percentile of 8 trials" in band_words(8)
    assert "lowest to highest of 3 trials" in band_words(3)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_short_numbers_are_json_and_close(value):
    result = short(value)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    if abs(value) < 1e308:
        assert result == pytest.approx(value, rel=0.005, abs=1e-300)
    elif not math.isfinite(value):
        assert result is None


def test_pack_is_one_character_a_level():
    assert pack(np.arange(64)) == ALPHABET
    assert pack(np.array([-3, 99])) == ALPHABET[0] + ALPHABET[63]


@given(st.integers(1, 100), st.integers(2, 8))
def test_spread_keeps_first_and_last(count, limit):
    chosen = spread(count, limit)
    assert len(chosen) == min(count, limit)
    assert (chosen[0], chosen[-1]) == (0, count - 1) if count > 1 else chosen == (0,)
    assert list(chosen) == sorted(set(chosen))
