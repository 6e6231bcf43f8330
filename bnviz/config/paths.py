"""The one dotted path of a setting, the same on the command line, in links, in problems and for the page's controls.

steps           a field of the run, or of a part's settings
dataset.name    a field of a model in it
arms.0.lr       a field of one item of a list, counted from 0
arms.*.lr       that field of all items: a value that all arms share
"""

from collections.abc import Mapping
from typing import Any

ALL = "*"  # stands for every item of a list
MAX_DIGITS = 3  # of a place in a list


def parts_of(path: str) -> tuple[str, ...]:
    """Take a path apart."""
    return tuple(path.split("."))


def below(path: str, part: str) -> str:
    """The path that is one part longer; that of the outermost model is empty."""
    return f"{path}.{part}" if path else part


def is_index(part: str) -> bool:
    """Whether a part of a path is a place in a list: a number from 0, or `*`."""
    return part == ALL or (part.isascii() and part.isdigit() and len(part) <= MAX_DIGITS)


def covers(path: str, other: str) -> bool:
    """Whether `other` is at `path` or below it: `arms.*.lr` covers `arms.0.lr`, and `arms.0` does."""
    ours, theirs = parts_of(path), parts_of(other)
    return len(ours) <= len(theirs) and all(
        mine == its or (mine == ALL and is_index(its)) for mine, its in zip(ours, theirs, strict=False)
    )


def numbered(path: str) -> str:
    """The path as the documentation writes it, with N for any place in a list: `arms.N.lr`."""
    return ".".join("N" if is_index(part) else part for part in parts_of(path))


def values_at(raw: Mapping[str, Any], path: str) -> list[Any]:
    """All values that a path covers in dicts and lists. Raises KeyError or IndexError where there is no such place."""
    places: list[Any] = [raw]
    for part in parts_of(path):
        places = [place[key] for place in places for key in keys_in(place, part)]
    return places


def put(raw: dict[str, Any], path: str, value: Any) -> None:
    """Put a value into all places that a path covers in dicts and lists. Raises KeyError or IndexError."""
    owner, _, last = path.rpartition(".")
    for place in values_at(raw, owner) if owner else [raw]:
        for key in keys_in(place, last):
            place[key] = value


def keys_in(place: object, part: str) -> list[Any]:
    """What a part of a path means in a dict or in a list: the key, the index, or all indices."""
    if isinstance(place, list | tuple):
        return list(range(len(place))) if part == ALL else [int(part)]
    return [part]
