"""Numbers and spreads in sentences."""

import math

import pytest

from bnviz.experiments.kit.numbers import fixed, number, power_of_ten, times
from bnviz.experiments.kit.sentences import joined, listed, say
from bnviz.experiments.kit.spread import spread_of


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.123"), (123456.0, "123000"), (1e-7, "1e-07"), (2e9, "2e+09"), (-0.5, "-0.5"), (math.nan, "unknown"),
     (math.inf, "infinite"), (-math.inf, "minus infinite")],
)  # fmt: skip
def test_numbers_have_three_digits_and_words_where_there_is_none(value, text):
    assert number(value) == text


def test_numbers_of_other_kinds():
    assert (fixed(1.46694, 3), fixed(2e7, 3), fixed(math.nan, 1)) == ("1.467", "2e+07", "unknown")
    assert (times(1.24), times(4500.4), times(7.2e9), times(math.inf)) == ("1.2", "4,500", "7 × 10⁹", "infinite")
    assert (power_of_ten(2.0), power_of_ten(400.0)) == (100.0, math.inf)


def test_a_sentence_formats_what_is_put_into_it():
    text = say("{ratio:median} times ({ratio:range}), theory {theory:.3f}, {factor:x} times, {count} of {who}",
               ratio=spread_of([1.0, 2.0], "pairs"), theory=1.46694, factor=4500.0, count=3, who="nets")  # fmt: skip
    assert text == "1.5 times (1 to 2 over 2 pairs), theory 1.467, 4,500 times, 3 of nets"
    assert say("{value} {value:2} {spread.low}", value=0.12345, spread=spread_of([1.0, 2.0])) == "0.123 0.12 1"
    with pytest.raises(KeyError, match="other"):
        say("{other}", value=1.0)


def test_sentences_are_joined_without_the_empty_ones():
    assert joined("One.", "", "Two.") == "One. Two."
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
