"""The numbers of a verdict as a claim's rule reads them: only what was measured.

Verdict.numbers -> Evidence -> a claim's rule -> Finding, or NotMeasured
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import override

from bnviz.experiments.kit.spread import Spread

Numbers = Mapping[str, Any]  # of a verdict: each a float or a `Spread`
COUNTS = ("pairs", "seeds")  # numbers of these names count what there is to judge by


class NotMeasured(Exception):
    """A rule asked for a number that was not measured."""


class Evidence(Mapping[str, Any]):
    """Numbers that are there: to ask for another, by `[]`, `get` or `in`, raises `NotMeasured`, whatever the default.

    So a rule cannot forget the case without evidence. Infinite numbers are evidence: a step that never came.

    Args:
        numbers: of a verdict.

    Raises:
        NotMeasured: there are none, or a count of pairs or seeds is 0.
    """

    def __init__(self, numbers: Mapping[str, float | Spread]) -> None:
        empty = [name for name, value in numbers.items() if value == 0 and name in COUNTS]
        if not numbers or empty:
            raise NotMeasured(", ".join(empty) or "no numbers")
        self._numbers = numbers

    @override
    def __getitem__(self, name: str) -> Any:
        """A number, or a `Spread` of at least one. Typed as either, since a rule knows which it wrote."""
        value = self._numbers.get(name, math.nan)
        if math.isnan(value.median if isinstance(value, Spread) else value):
            raise NotMeasured(name)
        return value

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    @override
    def __len__(self) -> int:
        return len(self._numbers)
