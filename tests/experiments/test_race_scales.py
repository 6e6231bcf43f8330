"""A speed-up and its interval are on one scale in every sentence: both times as fast, or both times as many steps."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bnviz.config.models import NormName
from tests.experiments.test_race_verdict import config, race, ramps

NUMBER = r"\d[\d.]*(?:e[+-]\d+)?"
VALUE = re.compile(rf"({NUMBER}) times as (fast|many steps)")
BOUNDS = re.compile(rf"({NUMBER}) to ({NUMBER})|({NUMBER}) (or more|or less)")
ENOUGH = 8  # trials with which the interval of the sign test is from the lowest to the highest
arrival = st.one_of(st.floats(5, 100), st.just(float("inf")))
arrivals = st.integers(1, 12).flatmap(
    lambda trials: st.lists(st.lists(arrival, min_size=trials, max_size=trials), min_size=2, max_size=4)
)


def sentence(at: list[list[float]]) -> str:
    norms: tuple[NormName, ...] = ("none", "batch", "layer", "rms")
    return race(config(norms[: len(at)], len(at[0])), ramps(at)).sentence()


def claims_of(text: str) -> list[tuple[float, float, float]]:
    """(value, low, high) of all that are told with an interval, as printed; an open end is 0 or infinite."""
    found = []
    for part in text.split("; "):
        value = VALUE.search(part)
        bounds = BOUNDS.search(part, value.end()) if value else None
        if value and bounds:
            low, high, end, side = bounds.groups()
            ends = (float(low), float(high)) if low else (float(end), np.inf) if side == "or more" else (0.0, float(end))
            found.append((float(value[1]), *ends))
    return found


@given(arrivals)
@example([[40.0] * 8, [60.0] * 7 + [90.0]])
@example([[30.0, 40, 50, 60, 70, 80, 90, 99], [float("inf")] * 3 + [90.0] * 5])
def test_a_printed_value_lies_within_its_printed_interval(at: list[list[float]]) -> None:
    for value, low, high in claims_of(sentence(at)):
        assert low <= value <= high


@pytest.mark.parametrize("others", [0, 1], ids=["in full", "in short"])
@given(st.lists(st.floats(20, 100), min_size=ENOUGH, max_size=ENOUGH), st.floats(0.2, 5))
def test_later_and_sooner_are_told_as_a_loop_over_the_pairs_has_them(others: int, reference: list[float], factor: float) -> None:
    """The value is the median of the pairs' ratios, the interval from the lowest to the highest; later: the inverse of them."""
    at = [reference, [min(max(factor * each, 10), 100) for each in reference]] + [reference] * others
    verdict = race(config(("none", "batch", "layer")[: 2 + others], ENOUGH), ramps(at))
    told = claims_of(verdict.sentence())
    comparison = verdict.comparisons()[0]
    if comparison.outcome == "no clear difference":
        return
    ratios = sorted(float(one / other) for one, other in zip(comparison.reference_steps, comparison.steps, strict=True))
    if comparison.outcome == "later":
        ratios = sorted(1 / ratio for ratio in ratios)
    middle = float(np.median(ratios)) if comparison.outcome == "sooner" else 1 / float(np.median([1 / r for r in ratios]))
    assert told[0] == pytest.approx((middle, ratios[0], ratios[-1]), rel=6e-3)


def test_open_ends_change_sides_with_the_scale() -> None:
    """Later in the median, and in one pair never: so many times as many steps or more."""
    text = sentence([[40.0] * 8, [80.0] * 7 + [float("inf")]])
    assert "in 2 times as many steps as the plain net (95 % interval 2 or more, 8 trials)" in text
    few = sentence([[40.0] * 3, [80.0] * 3])
    assert "in 2 times as many steps as the plain net (3 trials took 2 to 2 times as many: too few for a 95 % interval)" in few
