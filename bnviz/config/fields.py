"""One view of a model's field, for all who read models: controls, links, problems in words and documentation.

    field_at(RunConfig, "arms.*.lr") -> FieldView("arms.*.lr", kind="float", bounds=(1e-06, 100.0), default=0.1, ...)

What a field takes is said once, in its model, and read from there, so that it cannot drift from what is checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bnviz.config.paths import ALL, below, is_index, parts_of

Kind = Literal["int", "float", "bool", "text", "choice", "list", "model", "other"]
_KINDS: dict[Any, Kind] = {int: "int", float: "float", bool: "bool", str: "text"}


@dataclass(frozen=True)
class FieldView:
    """A field, an item of a list, or a whole model.

    Args:
        path: dotted, from the outermost model, whose own is empty.
        kind: of the values, apart from None.
        optional: whether it may be None.
        title: as the model has it, perhaps empty; so is `description`.
        bounds: (least, most) of a number, both included; None where it has not both.
        lengths: (fewest, most) items of a list or characters of a text; None where there is no such limit.
        choices: the values that there are, of a choice.
        item: what a list holds; its path is `*` alone.
        model: the class of a model.
        default: what is taken where it is left out.
    """

    path: str
    kind: Kind
    optional: bool = False
    title: str = ""
    description: str = ""
    bounds: tuple[Any, Any] | None = None
    lengths: tuple[int | None, int | None] = (None, None)
    choices: tuple[str, ...] = ()
    item: "FieldView | None" = None
    model: type[BaseModel] | None = None
    default: Any = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return parts_of(self.path)[-1]

    @property
    def owner(self) -> type[BaseModel] | None:
        """The model that it is or is a list of, so that it is set field by field; None of what is set as a whole."""
        return self.model or (self.item.model if self.item else None)

    def child(self, part: str) -> "FieldView | None":
        """What one more part of a path leads to; None where that is nothing."""
        path = below(self.path, part)
        if self.item is not None:
            return replace(self.item, path=path) if is_index(part) else None
        found = _fields(self.model).get(part) if self.model else None
        return replace(found, path=path) if found else None

    @property
    def children(self) -> tuple["FieldView", ...]:
        """The fields of a model, or of each item of a list of models."""
        if self.item is not None:
            return replace(self.item, path=below(self.path, ALL)).children
        inner = _fields(self.model).values() if self.model else ()
        return tuple(replace(view, path=below(self.path, view.path)) for view in inner)


def whole(model: type[BaseModel]) -> FieldView:
    """The view of a model itself."""
    return FieldView("", "model", model=model)


def field_at(model: type[BaseModel], path: str | Iterable[str | int]) -> FieldView | None:
    """What stands at a path of a model, or at a location of one of its errors; None where there is nothing."""
    view: FieldView | None = whole(model)
    for part in parts_of(path) if isinstance(path, str) else path:
        view = view.child(str(part)) if view else None
    return view


def fields_of(model: type[BaseModel]) -> dict[str, FieldView]:
    """Every field of a model, by its name."""
    return dict(_fields(model))


@cache
def _fields(model: type[BaseModel]) -> dict[str, FieldView]:
    return {name: _view(name, info) for name, info in model.model_fields.items()}


def _view(path: str, info: FieldInfo) -> FieldView:
    inner, optional = _without_none(info)
    limits = _limits([*inner.metadata, *info.metadata])
    item, model, choices = _item(inner.annotation), _model(inner.annotation), _choices(inner.annotation)
    kind: Kind = "choice" if choices else "list" if item else "model" if model else _KINDS.get(inner.annotation, "other")
    bounded = {"ge", "le"} <= limits.keys() and kind in ("int", "float")
    number: Any = inner.annotation
    return FieldView(
        path=path,
        kind=kind,
        optional=optional,
        title=info.title or "",
        description=info.description or "",
        bounds=(number(limits["ge"]), number(limits["le"])) if bounded else None,
        lengths=(limits.get("min_length"), limits.get("max_length")),
        choices=choices,
        item=item,
        model=model,
        default=info.get_default(call_default_factory=True, validated_data={}),
    )


def _without_none(info: FieldInfo) -> tuple[FieldInfo, bool]:
    """(the field without None, whether None is allowed)."""
    annotation: Any = info.annotation
    if get_origin(annotation) not in (Union, UnionType):
        return FieldInfo.from_annotation(annotation), False
    members = [member for member in get_args(annotation) if member is not NoneType]
    return FieldInfo.from_annotation(members[0]), len(members) < len(get_args(annotation))


def _limits(metadata: Iterable[object]) -> dict[str, Any]:
    names = ("ge", "le", "min_length", "max_length")
    return {name: getattr(item, name) for item in metadata for name in names if getattr(item, name, None) is not None}


def _item(annotation: Any) -> FieldView | None:
    """What `tuple[X, ...]` holds, with its bounds."""
    if get_origin(annotation) is not tuple:
        return None
    return _view(ALL, FieldInfo.from_annotation(get_args(annotation)[0]))


def _model(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _choices(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()
