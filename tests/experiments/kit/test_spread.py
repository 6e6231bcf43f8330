"""How a number with its uncertainty is found and said."""

import math

import numpy as np
import pytest

from bnviz.experiments.kit.order_statistics import median_interval
from bnviz.experiments.kit.spread import interval_of, ratio_of, spread_of, spread_of_finite


def test_median_lowest_and_highest_of_what_is_known():
    found = spread_of([3.0, math.nan, 1.0, 10.0])
    assert (found.median, found.low, found.high, found.count) == (3.0, 1.0, 10.0, 3)
    assert str(found) == "3 (1 to 10 over 3 seeds)"
    assert f"{found:median} and {found:range}" == "3 and 1 to 10 over 3 seeds"


def test_what_never_came_counts_as_the_largest():
    assert spread_of([1.0, math.inf, math.inf]).median == math.inf
    assert spread_of([1.0, 2.0, math.inf, math.inf]).median == math.inf  # the mean of 2 and never
    assert str(spread_of([1.0, 2.0, math.inf])) == "2 (1 to infinite over 3 seeds)"


def test_trials_that_diverged_are_counted_beside_the_others():
    assert str(spread_of_finite([9.0, 10.0, math.inf], unit="%")) == "9.5 % (9 to 10 over 2 seeds; 1 diverged)"
    assert str(spread_of_finite([math.inf, math.inf])) == "diverged"
    assert str(spread_of_finite([math.nan])) == "unknown"


def test_one_value_has_no_range():
    assert str(spread_of([0.25])) == "0.25 (one seed)"
    assert str(spread_of([0.25], of="pairs")) == "0.25 (one pair)"
    assert spread_of([0.25], of="batches").__format__("range") == "one of the batches"


def test_an_interval_says_its_level_where_it_has_one():
    values = np.arange(1.0, 8.0)
    found = interval_of(values, unit="points")
    assert (found.low, found.high) == median_interval(values)[:2]
    assert str(found) == "4 points (95 % interval 1 to 7 over 7 pairs)"
    assert str(interval_of([1.0, 2.0, 3.0])) == "2 (1 to 3 over 3 pairs)"  # too few for one
    assert interval_of([math.nan, math.inf]).count == 0


def test_ratios_leave_out_pairs_of_which_one_is_lost():
    found = ratio_of([2.0, math.nan, 6.0, 8.0, math.inf], [1.0, 1.0, 2.0, 0.0, 1.0])
    assert (found.median, found.low, found.high, found.count) == (2.5, 2.0, 3.0, 2)
    assert found.of == "pairs"


@pytest.mark.parametrize(
    ("values", "sign", "direction"),
    [([0.5, 0.6], 1, -1), ([-2, -1], -1, -1), ([1.5, 2], 1, 1), ([-1, 2], 0, 0), ([], 0, 0)],
)
def test_which_way_all_of_them_go(values, sign, direction):
    assert (spread_of(values).sign, spread_of(values).direction) == (sign, direction)


def test_other_formats_are_refused():
    with pytest.raises(ValueError, match="median and range"):
        f"{spread_of([1.0]):.3f}"
