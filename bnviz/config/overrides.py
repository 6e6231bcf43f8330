"""Dotted paths and text change a configuration: for the command line and for links.

"arms.0.lr=0.3", "arms.*.depth=4" -> apply_overrides -> plain dicts and lists, to be validated
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from bnviz.config.fields import FieldView, whole
from bnviz.config.models import RunConfig
from bnviz.config.paths import ALL, is_index, keys_in, numbered, parts_of
from bnviz.config.problems import Problem, one_line


class OverrideError(ValueError):
    """A dotted path that names no field of the configuration; `problem` says which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def apply_overrides(
    base: Mapping[str, Any], pairs: Iterable[tuple[str, str]], model: type[BaseModel] = RunConfig
) -> dict[str, Any]:
    """Set fields of a configuration from text; validate the result with `model.model_validate`.

    The item after the last one of a list of models is added, with its defaults; `*` sets all that there are.

    Args:
        base: `model_dump()` of the model or part of it; not changed.
        pairs: (dotted path, text as `from_text` reads it), as in ("arms.0.lr", "0.3").
        model: what the base is of.

    Returns:
        Plain dicts and lists.

    Raises:
        OverrideError: a path that names no field which is set as a whole.
    """
    result = _copied(base)
    for path, text in pairs:
        _set(whole(model), result, path, text)
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, tuple | list) else value


def from_text(view: FieldView, text: str) -> Any:
    """What pydantic reads a field from: the text itself, the parts of a list, or None.

    Numbers stay text; `none` empties an optional field, and a list, whose items are separated by commas.
    """
    if view.optional and text.strip().lower() in ("none", ""):
        return None
    if view.kind == "list":
        return [item.strip() for item in text.split(",") if item.strip() not in ("", "none")]
    return text if view.kind == "text" else text.strip()


def _set(root: FieldView, target: dict[str, Any], path: str, text: str) -> None:
    """Walk down the model and the values together, one part of the path at a time."""
    view, model, places = root, root, [target]
    parts = parts_of(path)
    for part in parts:
        if view.owner is None:
            raise _unknown(path, text, model)
        if view.kind == "list":
            _check_place(view, places, path, part)
        child = view.child(part)
        if child is None:
            raise _unknown(path, text, model)
        if child.owner is not None:
            places = [inner for place in places for inner in _inside(place, part, child)]
        view, model = child, child if child.owner else model
    if view.owner is not None:
        raise _unknown(path, text, model)
    for place in places:
        place[parts[-1]] = from_text(view, text)


def _unknown(path: str, text: str, model: FieldView) -> OverrideError:
    """Name the paths that were perhaps meant: the fields of the deepest model that this one reached."""
    suffixes = {"model": f".{ALL}", "list": f".N.{ALL}"}
    names = [numbered(view.path) + (suffixes[view.kind] if view.owner else "") for view in model.children]
    return OverrideError(Problem(one_line(path), one_line(text), ", ".join(names)))


def _check_place(view: FieldView, lists: list[Any], path: str, part: str) -> None:
    shortest = min((len(items) for items in lists), default=0)
    if not is_index(part) or (part != ALL and int(part) > shortest):
        name = view.path
        raise OverrideError(
            Problem(one_line(path), one_line(part), f"{name}.0 to {name}.{shortest - 1}, or {name}.{shortest} to add one")
        )


def _inside(place: Any, part: str, child: FieldView) -> list[Any]:
    """The models or lists that a part of a path leads to, made where they are not there yet."""
    if isinstance(place, dict):
        return [place.setdefault(part, _default(child))]
    if part != ALL and int(part) == len(place):
        place.append({})
    return [place[key] for key in keys_in(place, part)]


def _default(view: FieldView) -> Any:
    return [item.model_dump() for item in view.default] if view.kind == "list" else {}
