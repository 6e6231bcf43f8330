"""Sentences whose numbers format themselves.

say("{drift} times as far ({shift:range})", drift=spread, shift=other)      numbers three digits, spreads as `Spread` says
joined(first, "", second)                                                  sentences one after the other
listed(["a", "b", "c"])                                                    'a, b and c'
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from bnviz.experiments.kit.numbers import fixed, number, times


class _Words(string.Formatter):
    """Of numbers '' is three significant digits, '2' two, '.1f' one decimal place, 'x' a factor; all else formats itself."""

    @override
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, bool | int) or not isinstance(value, float):
            return format(value, format_spec)
        if format_spec == "x":
            return times(value)
        if format_spec.startswith("."):
            return fixed(value, int(format_spec[1:-1]))
        return number(value, int(format_spec or 3))


def say(template: str, numbers: Mapping[str, Any] | None = None, /, **values: Any) -> str:
    """A sentence with its values put in, by name or from a mapping, whose errors are passed on.

    Raises:
        KeyError: the template asks for a value that is not given.
    """
    return _Words().vformat(template, (), values if numbers is None else numbers)


def joined(*sentences: str) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(sentence for sentence in sentences if sentence)


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))
