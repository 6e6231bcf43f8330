"""Small tables of numbers as text, as they stand in a link: rows separated by semicolons, numbers by commas."""

import math

from pydantic_core import PydanticCustomError

MAX_SAMPLES, MAX_FEATURES, LARGEST = 8, 3, 1000.0

Rows = tuple[tuple[float, ...], ...]


class BadTable(ValueError):
    """A text that is no table of this kind; the message says what is wanted, as "allowed: ..." has it."""


def as_text(rows: Rows) -> str:
    """The shortest text of a table: "1,10;3,20"."""
    return ";".join(",".join(f"{value:.12g}" for value in row) for row in rows)


def rows_of(text: str) -> Rows:
    """Read a table of 1 to 8 rows and 1 to 3 columns. Raises `BadTable`."""
    rows = tuple(tuple(_number(part) for part in line.split(",")) for line in text.strip().strip(";").split(";"))
    if len(rows) > MAX_SAMPLES or len(rows[0]) > MAX_FEATURES:
        raise BadTable(f"1 to {MAX_SAMPLES} samples of 1 to {MAX_FEATURES} features; here are {len(rows)} of {len(rows[0])}")
    if any(len(row) != len(rows[0]) for row in rows):
        raise BadTable("as many numbers in every row: samples separated by semicolons, their features by commas")
    return rows


def per_feature(text: str, features: int) -> tuple[float, ...]:
    """Read one number a feature; the last one stands for the features that have none. Raises `BadTable`."""
    values = tuple(_number(part) for part in text.split(","))[:features]
    return values + values[-1:] * (features - len(values))


def short(values: tuple[float, ...]) -> str:
    """The shortest text that `per_feature` reads as these."""
    while len(values) > 1 and values[-1] == values[-2]:
        values = values[:-1]
    return as_text((values,))


def resized(rows: Rows, samples: int, features: int, fresh: tuple[float, ...] = (0.0,)) -> Rows:
    """A table of another size: what there was, and numbers of `fresh` in turn where there was nothing."""
    old_samples, old_features = len(rows), len(rows[0])
    return tuple(
        tuple(rows[i][k] if i < old_samples and k < old_features else fresh[(i + k) % len(fresh)] for k in range(features))
        for i in range(samples)
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:  # false for NaN too
        shown = text.strip()[:12] or "nothing"
        raise BadTable(f"numbers from {-LARGEST:g} to {LARGEST:g}, separated by commas; {shown} is none")
    return value


def refusal(error: BadTable) -> PydanticCustomError:
    """The same for a validator of a setting."""
    return PydanticCustomError("table", "{wanted}", {"wanted": str(error)})
