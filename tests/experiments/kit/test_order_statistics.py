"""First crossings and the median's interval, against naive versions and by simulation."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnviz.experiments.kit.order_statistics import first_crossing, median_interval


def naive_crossing(steps: list[float], values: list[float], target: float) -> float:
    """Walk along the line in small pieces of its own segments."""
    if values and values[0] >= target:
        return steps[0]
    for (x0, y0), (x1, y1) in pairwise(zip(steps, values, strict=True)):
        if y1 >= target:
            return x0 + (target - y0) / (y1 - y0) * (x1 - x0) if np.isfinite(y0) else x1
    return np.inf


@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=20),
    st.floats(0, 1),
)
def test_crossing_is_where_the_drawn_line_meets_the_target(points: list[tuple[int, float]], target: float) -> None:
    steps = np.cumsum([gap for gap, _ in points]).tolist()
    values = [value for _, value in points]
    found = first_crossing(steps, np.array(values)[:, None], target)
    assert found.dtype == np.float64
    assert found[0] == pytest.approx(naive_crossing(steps, values, target))


def test_nan_reaches_nothing_and_is_no_neighbour() -> None:
    values = np.array([[0.1, np.nan, 0.1], [np.nan, np.nan, 0.9], [0.9, np.nan, np.nan]])
    assert first_crossing([0, 10, 20], values, 0.5).tolist() == [20, np.inf, 5]


def test_nothing_measured_reaches_nothing() -> None:
    assert first_crossing([], np.zeros((0, 3)), 0.5).tolist() == [np.inf] * 3


@pytest.mark.parametrize(("steps", "values"), [([0, 1], np.zeros(2)), ([0], np.zeros((2, 1)))])
def test_shapes_are_checked(steps: list[int], values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="wanted"):
        first_crossing(steps, values, 0.5)


# Ranks from published tables of the sign test's interval for the median, 95 % (two-sided): k-th smallest and largest.
@pytest.mark.parametrize(("count", "rank"), [(6, 1), (7, 1), (8, 1), (9, 2), (12, 3), (16, 4), (20, 6), (25, 8), (32, 10)])
def test_interval_uses_the_tabled_ranks(count: int, rank: int) -> None:
    assert median_interval(range(1, count + 1)) == (rank, count + 1 - rank, True)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_values_give_their_extremes_and_say_so(count: int) -> None:
    assert median_interval(range(count)) == (0, count - 1, False)


def test_infinite_values_count() -> None:
    assert median_interval([1, 2, 3, 4, 5, np.inf]) == (1, np.inf, True)


@pytest.mark.parametrize("values", [[], [1.0, np.nan]])
def test_nothing_and_nan_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="no NaN"):
        median_interval(values)


@settings(max_examples=30)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_interval_holds_the_sample_median_in_any_order(values: list[float]) -> None:
    low, high, _ = median_interval(values)
    assert low <= np.median(values) <= high
    assert median_interval(values[::-1]) == median_interval(values)


@pytest.mark.parametrize("count", [6, 8, 16, 32])
def test_interval_covers_the_true_median(count: int) -> None:
    """Of 2000 skewed samples at least 95 % of the intervals hold the median, within the simulation's error."""
    samples = np.random.default_rng(0).lognormal(size=(2000, count))
    covered = [low <= 1 <= high for low, high, _ in map(median_interval, samples)]
    assert np.mean(covered) >= 0.94
