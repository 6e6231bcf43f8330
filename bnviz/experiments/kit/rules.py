"""Rules that turn the numbers of a verdict into a finding, the same way for all claims.

    rule("drift times {drift}, shift times {shift}",
         supported=all_below("drift", 1) & all_below("shift", 1),
         mixed=all_below("drift", 1) | all_below("shift", 1))

A rule is written down before anything is measured. Where numbers are missing the finding is "not measured": see `Evidence`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bnviz.experiments.kit.base import Finding, Verdict
from bnviz.experiments.kit.evidence import Numbers
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.spread import Spread


@dataclass(frozen=True)
class Condition:
    """Something that a verdict's numbers fulfil or not; joined by `&`, `|` and `~`."""

    holds: Callable[[Verdict], bool]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(lambda found: self.holds(found) & other.holds(found))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(lambda found: self.holds(found) | other.holds(found))

    def __invert__(self) -> "Condition":
        return Condition(lambda found: not self.holds(found))


def all_below(name: str, limit: float) -> Condition:
    """Every one of a spread's values, or the upper end of its interval, is below the limit; or a single number is."""
    return Condition(lambda found: _ends(found, name)[1] < limit)


def all_above(name: str, limit: float) -> Condition:
    """The same from the other side."""
    return Condition(lambda found: _ends(found, name)[0] > limit)


def all_at_least(name: str, limit: float) -> Condition:
    """Every one of a spread's values is at the limit or above it."""
    return Condition(lambda found: _ends(found, name)[0] >= limit)


def median_below(name: str, limit: float) -> Condition:
    """The median of a spread is below the limit."""
    return Condition(lambda found: _median(found, name) < limit)


def median_above(name: str, limit: float) -> Condition:
    """The median of a spread is above the limit."""
    return Condition(lambda found: _median(found, name) > limit)


def answered(*answers: str) -> Condition:
    """The verdict's answer is one of these."""
    return Condition(lambda found: found.answer in answers)


def when(test: Callable[[Numbers], bool]) -> Condition:
    """A condition on several numbers at once, for what the others do not say."""
    return Condition(lambda found: test(found.numbers))


def rule(
    said: str | Callable[[Numbers], str],
    *,
    supported: Condition,
    mixed: Condition | None = None,
    against: Condition | None = None,
) -> Callable[[Verdict], Finding]:
    """A claim's rule.

    Args:
        said: what was measured: a template of `say` over the verdict's numbers, or a function of these.
        supported: when the claim is supported.
        mixed: when it is not, whether the data leave it open; all else counts against the claim.
        against: the other way round: whether the data speak against it; all else leaves it open. Give one of the two, or neither.

    Raises:
        ValueError: both were given.
    """
    if mixed and against:
        raise ValueError("a rule has either mixed or against: the rest is the other")

    def judge(found: Verdict) -> Finding:
        measured = said(found.numbers) if callable(said) else say(said, found.numbers)
        if supported.holds(found):
            return Finding("supported", measured)
        is_open = mixed.holds(found) if mixed else against is not None and not against.holds(found)
        return Finding("mixed" if is_open else "not supported in this setting", measured)

    return judge


def _ends(found: Verdict, name: str) -> tuple[float, float]:
    value = found.numbers[name]
    return (value.low, value.high) if isinstance(value, Spread) else (value, value)


def _median(found: Verdict, name: str) -> float:
    value = found.numbers[name]
    return value.median if isinstance(value, Spread) else value
