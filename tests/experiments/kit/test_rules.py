"""What rules make of numbers."""

import pytest

from bnviz.experiments.kit.base import Claim, Finding, Reference, Verdict
from bnviz.experiments.kit.rules import all_above, all_at_least, all_below, answered, median_above, median_below, rule, when
from bnviz.experiments.kit.spread import spread_of

SOURCE = Reference("A paper", "https://example.org")


def judged(judge, numbers, answer=None):
    return Claim("id", "A claim.", SOURCE, "preset", judge).judge(Verdict(answer, "A sentence.", numbers))


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        (all_below("x", 2), [1.0, 1.9], True),
        (all_below("x", 2), [1.0, 2.0], False),
        (all_above("x", 2), [2.1, 9.0], True),
        (all_above("x", 2), [2.0, 9.0], False),
        (all_at_least("x", 2), [2.0, 9.0], True),
        (median_below("x", 2), [1.0, 1.5, 9.0], True),
        (median_above("x", 2), [1.0, 2.5, 9.0], True),
        (median_above("x", 2), [1.0, 1.5, 9.0], False),
        (when(lambda numbers: numbers["x"].count == 2), [1.0, 2.0], True),
        (~all_below("x", 2), [3.0, 4.0], True),
        (all_below("x", 2) | all_above("x", 2), [1.0, 3.0], False),
        (all_above("x", 0) & all_below("x", 2), [1.0, 1.0], True),
    ],
)
def test_conditions_on_a_spread(condition, values, holds):
    found = judged(rule("{x}", supported=condition), {"x": spread_of(values)})
    assert found.judgement == ("supported" if holds else "not supported in this setting")


def test_a_number_is_its_own_extremes():
    assert judged(rule("", supported=all_below("x", 2) & all_above("x", 0)), {"x": 1.0}).judgement == "supported"


def test_what_is_left_is_open_or_against():
    open_rule = rule("x {x}", supported=answered("yes"), mixed=answered("partly", None))
    assert [judged(open_rule, {"x": 1.0}, answer).judgement for answer in ("yes", "partly", None, "no")] == [
        "supported", "mixed", "mixed", "not supported in this setting",
    ]  # fmt: skip
    other = rule("x {x}", supported=all_above("x", 1), against=all_below("x", 1))
    judgements = [judged(other, {"x": spread_of(values)}).judgement for values in ([2, 3], [0.1, 0.2], [0.5, 2])]
    assert judgements == ["supported", "not supported in this setting", "mixed"]
    with pytest.raises(ValueError, match="either mixed or against"):
        rule("", supported=answered("a"), mixed=answered("b"), against=answered("c"))


def test_what_was_measured_is_said_from_the_numbers():
    judge = rule("ratio {x}", supported=all_above("x", 1))
    assert judged(judge, {"x": spread_of([2.0, 3.0], "pairs")}) == Finding("supported", "ratio 2.5 (2 to 3 over 2 pairs)")
    judge = rule(lambda numbers: f"{numbers['x'].count} pairs", supported=all_above("x", 1))
    assert judged(judge, {"x": spread_of([2.0])}).measured == "1 pairs"


@pytest.mark.parametrize("numbers", [{}, {"y": 1.0}, {"x": spread_of([])}, {"x": float("nan")}])
def test_without_its_numbers_nothing_was_measured(numbers):
    assert judged(rule("{x}", supported=all_above("x", 1)), numbers).judgement == "not measured"
