"""Bad configurations in words: which field, what was received, what is allowed.

    ValidationError -> problems() -> list[Problem]      the page, the API and the command line show `message`
    "arms.0.lr=0.3" -> apply_overrides() -> plain dict  for the command line and the link

What is allowed is read from the models themselves, so it cannot drift from what is checked.
"""

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig

RECEIVED_LENGTH = 60
FIELD_LENGTH = 120
MAX_PROBLEMS = 20  # told of one configuration: a body of 64 kB can hold thousands of them
_MODELS: dict[str, type[BaseModel]] = {model.__name__: model for model in (RunConfig, ArmConfig, DatasetConfig)}
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


class OverrideError(ValueError):
    """A dotted key that names no field of the configuration; `problem` says which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


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


def _field(location: tuple[int | str, ...]) -> str:
    return _cut(".".join(one_line(part) for part in location), FIELD_LENGTH) or "config"


def _allowed(model: type[BaseModel] | None, detail: ErrorDetails) -> str:
    location = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return _names(_resolve(model, location[:-1]))
    if detail["type"] not in _KNOWN_ERRORS:  # a validator of ours, which says it better than the bounds
        return detail["msg"]
    if detail["type"] == "json_invalid":
        return "valid JSON"
    target = _resolve(model, location)
    return allowed(target) if isinstance(target, FieldInfo) else _names(target)


def _names(model: object) -> str:
    if isinstance(model, FieldInfo):
        model = _model_of(model.annotation)
    return ", ".join(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else "the fields of a run"


def _resolve(model: type[BaseModel] | None, location: Iterable[str | int]) -> type[BaseModel] | FieldInfo | None:
    """Follow a location such as ("arms", 0, "lr") from the model to what stands there."""
    target: type[BaseModel] | FieldInfo | None = model
    for part in location:
        if isinstance(target, FieldInfo):
            annotation = target.annotation
            if isinstance(part, int) and get_origin(annotation) is tuple:
                target = _item(annotation)
                continue
            target = _model_of(annotation)
        if isinstance(part, int):  # an index into a model: `arms` was resolved to its item already
            return None
        target = target.model_fields.get(part) if target else None
    return target


def _item(annotation: Any) -> FieldInfo:
    """The element of `tuple[X, ...]` as a field, with its bounds."""
    return FieldInfo.from_annotation(get_args(annotation)[0])


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model in `DatasetConfig` or `tuple[ArmConfig, ...]`, if there is one."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def allowed(field: FieldInfo) -> str:
    """Say in words which values a field takes: its choices, its bounds or its type."""
    inner, optional = _without_none(field.annotation)
    limits = _limits(field.metadata)
    text = _choices(inner) or _kind(inner, limits)
    return f"{text}, or none" if optional else text


def _kind(annotation: Any, limits: Mapping[str, Any]) -> str:
    if get_origin(annotation) is tuple:
        return _list_kind(annotation, f"{limits.get('min_length', 0)} to {limits.get('max_length', 'any number')}")
    if annotation is bool:
        return "true or false"
    if annotation is str:
        return f"text of at most {limits.get('max_length', 'any')} characters"
    if model := _model_of(annotation):
        return _names(model)
    kind = "whole number, " if annotation is int else ""
    return f"{kind}{number(limits['ge'])} to {number(limits['le'])}" if {"ge", "le"} <= limits.keys() else f"{kind}a number"


def _list_kind(annotation: Any, count: str) -> str:
    item = _item(annotation)
    if choices := _choices(item.annotation):
        return f"any of {choices}"
    return f"{count} items" if _model_of(item.annotation) else f"{count} values, each {allowed(item)}"


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """(the type, whether None is allowed too), both without `Annotated`."""
    optional = False
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        optional = len(members) < len(get_args(annotation))
        annotation = members[0]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation, optional


def _limits(metadata: Iterable[object]) -> dict[str, Any]:
    names = ("ge", "le", "min_length", "max_length")
    return {name: getattr(item, name) for item in metadata for name in names if getattr(item, name, None) is not None}


def _choices(annotation: Any) -> str:
    return ", ".join(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ""


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


def apply_overrides(base: Mapping[str, Any], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Set dotted keys of a configuration from text; validate the result with `RunConfig.model_validate`.

    Numbers stay text, which pydantic reads; `none` empties an optional field; `extras` takes a list separated
    by commas. The arm after the last one is added, with its defaults.

    Args:
        base: `RunConfig.model_dump()` or part of it; not changed.
        pairs: (dotted key, text), as in ("arms.0.lr", "0.3").

    Returns:
        Plain dicts and lists.

    Raises:
        OverrideError: a key that names no single field.
    """
    result = _plain(base)
    for key, text in pairs:
        _set(result, key, text)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _set(target: dict[str, Any], key: str, text: str) -> None:
    """Walk down the models and the dicts together, one part of the key at a time."""
    field: FieldInfo | None = None
    model: type[BaseModel] = RunConfig
    parts = key.split(".")
    place: Any = target
    for depth, part in enumerate(parts):
        if isinstance(place, list):
            place = _arm(place, key, part)
            continue
        field = model.model_fields.get(part)
        inner = _model_of(field.annotation) if field else None
        if field is None or (inner is None) != (depth == len(parts) - 1):
            break
        if inner is None:
            place[part] = _typed(field, text)
            return
        model = inner
        place = place.setdefault(part, _default(field))
    raise OverrideError(Problem(one_line(key), one_line(text), _keys(model)))


def _default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True, validated_data={})
    return [item.model_dump() for item in default] if isinstance(default, tuple) else {}


def _keys(model: type[BaseModel]) -> str:
    """The keys that were perhaps meant: those of the deepest model that the key reached."""
    names = []
    for name, field in model.model_fields.items():
        suffix = ".N.*" if get_origin(field.annotation) is tuple else ".*"
        names.append(name + suffix if _model_of(field.annotation) else name)
    prefix = {"ArmConfig": "arms.N.", "DatasetConfig": "dataset.", "PerTrial": "arms.N.per_trial."}.get(model.__name__, "")
    return ", ".join(prefix + name for name in names)


def _arm(arms: list[Any], key: str, index: str) -> dict[str, Any]:
    if not (index.isascii() and index.isdigit() and len(index) < 4 and int(index) <= len(arms)):
        allowed_indices = f"arms.0 to arms.{len(arms) - 1}, or arms.{len(arms)} to add one"
        raise OverrideError(Problem(one_line(key), one_line(index), allowed_indices))
    if int(index) == len(arms):
        arms.append({})
    return arms[int(index)]


def _typed(field: FieldInfo, text: str) -> Any:
    annotation, optional = _without_none(field.annotation)
    if optional and text.strip().lower() in ("none", ""):
        return None
    if get_origin(annotation) is tuple:
        return [item.strip() for item in text.split(",") if item.strip() not in ("", "none")]
    return text
