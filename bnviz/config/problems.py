"""Bad configurations in words: which field, what was received, what is allowed.

ValidationError -> problems() -> list[Problem]      the page, the API and the command line show `message`
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from bnviz.config.fields import FieldView, field_at
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.config.paths import parts_of
from bnviz.config.studies import StudyConfig

RECEIVED_LENGTH = 60
FIELD_LENGTH = 120
MAX_PROBLEMS = 20  # told of one configuration: a body of 64 kB can hold thousands of them
_MODELS: dict[str, type[BaseModel]] = {model.__name__: model for model in (RunConfig, ArmConfig, DatasetConfig, StudyConfig)}
Model = TypeVar("Model", bound=BaseModel)
_KNOWN_ERRORS = {*get_args(ErrorType), "number_type"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that was refused; `message` is a single line with all three parts."""

    field: str
    received: str
    allowed: str

    @property
    def message(self) -> str:
        """`arms.0.lr: received -1; allowed: 0.000001 to 100`."""
        return f"{self.field}: received {self.received}; allowed: {self.allowed}"


class More(Problem):
    """Stands at the end of a list that was cut; `received` says how many were left out."""

    @property
    def message(self) -> str:
        """`... and 6980 more`."""
        return f"{self.field} and {self.received}"


def problems(error: ValidationError, model: type[BaseModel] | None = None) -> list[Problem]:
    """Turn a validation error into one `Problem` a field, without follow-ups of the same mistake.

    An error of `arms` is a follow-up when an arm itself was refused (`arms: too short`), so is a default that could not
    be worked out because of another field, and only the first error of a field counts. After MAX_PROBLEMS of them a
    `More` says how many there are besides. The work grows with the number of errors, not with its square.

    Args:
        error: what pydantic raised.
        model: the model that raised it; not needed for those of a run.
    """
    model = model or _MODELS.get(error.title)
    details = [detail for detail in error.errors(include_url=False) if detail["type"] != "default_factory_not_called"]
    above = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    first: dict[str, ErrorDetails] = {}
    for detail in details:
        if detail["loc"] not in above:
            first.setdefault(_field(detail["loc"]), detail)
    told = [
        Problem(field, one_line(detail["input"]), _allowed(model, detail))
        for field, detail in islice(first.items(), MAX_PROBLEMS)
    ]
    rest = len(first) - len(told)
    return [*told, More("...", f"{rest} more", "")] if rest else told


def validated(model: type[Model], raw: Mapping[str, Any]) -> tuple[Model | None, dict[str, str]]:
    """The model of these values, or None and a message for each of its fields that cannot be used."""
    try:
        return model.model_validate(dict(raw)), {}
    except ValidationError as error:
        found: dict[str, str] = {}
        for problem in problems(error, model):
            found.setdefault(parts_of(problem.field)[0], f"received {problem.received}; allowed: {problem.allowed}")
        return None, found


def _field(location: tuple[int | str, ...]) -> str:
    return _cut(".".join(one_line(part) for part in location), FIELD_LENGTH) or "config"


def _allowed(model: type[BaseModel] | None, detail: ErrorDetails) -> str:
    if detail["type"] == "json_invalid":
        return "valid JSON"
    if model is None or detail["type"] not in _KNOWN_ERRORS:  # a validator of ours, which says it better than the bounds
        return detail["msg"]
    if detail["type"] == "extra_forbidden":
        return _names(field_at(model, detail["loc"][:-1]))
    target = field_at(model, detail["loc"])
    return allowed(target) if target else _names(None)


def _names(view: FieldView | None) -> str:
    return ", ".join(field.name for field in view.children) if view and view.owner else "the fields of a run"


def allowed(view: FieldView) -> str:
    """Say in words which values a field takes: its choices, its bounds or its type."""
    text = ", ".join(view.choices) or _kind(view)
    return f"{text}, or none" if view.optional else text


def _kind(view: FieldView) -> str:
    if view.item is not None:
        return _list_kind(view.item, *view.lengths)
    if view.kind == "bool":
        return "true or false"
    if view.kind == "text":
        return f"text of at most {view.lengths[1] or 'any'} characters"
    if view.model is not None:
        return _names(view)
    kind = "whole number, " if view.kind == "int" else ""
    return f"{kind}{number(view.bounds[0])} to {number(view.bounds[1])}" if view.bounds else f"{kind}a number"


def _list_kind(item: FieldView, fewest: int | None, most: int | None) -> str:
    if item.choices:
        return f"any of {', '.join(item.choices)}"
    count = f"{fewest or 0} to {'any number' if most is None else most}"
    return f"{count} items" if item.model else f"{count} values, each {allowed(item)}"


def number(value: float) -> str:
    """Write a bound without an exponent: 0.000001, 100, 2147483647."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def one_line(value: object) -> str:
    """A value as it was received, short and on one line, whatever it is."""
    if isinstance(value, str) and value and value.isprintable():
        return _cut(value)
    try:
        return _cut(reprlib.repr(value))
    except ValueError:  # an integer of thousands of digits cannot be printed
        return f"a huge {type(value).__name__}"


def _cut(text: str, length: int = RECEIVED_LENGTH) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
