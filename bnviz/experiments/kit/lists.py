"""Lists among the settings: in order, each value once, and at least two of them where one says nothing."""

from typing import TypeVar

from pydantic_core import PydanticCustomError

Number = TypeVar("Number", int, float)


def ascending(values: tuple[Number, ...], least: int = 2) -> tuple[Number, ...]:
    """The values in ascending order, each once. Raises an error for the page where fewer than `least` are left."""
    found = tuple(sorted(set(values)))
    if len(found) < least:
        raise PydanticCustomError("different_values", "at least {least} different values", {"least": least})
    return found
