"""Controls for the settings of a part, read from their model: one widget a field, its problem beneath it.

Streamlit keeps their values for the session, drawn or not (`persist_state`).
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from bnviz.experiments.kit.base import Part, Settings
from bnviz.experiments.kit.settings_text import as_text, is_tuple, parsed, validated
from bnviz.ui.fields import word
from bnviz.ui.plain import plain


def key_of(scope: str, name: str) -> str:
    """Of a widget in the session state; `scope` names the experiment and its part."""
    return f"knob:{scope}:{name}"


def load(scope: str, settings: Settings) -> None:
    """Put settings into the controls; call it before they are drawn."""
    for name, value in settings:
        typed = is_tuple(type(settings), name) and not _choices(type(settings).model_fields[name])
        st.session_state[key_of(scope, name)] = as_text(value) if typed else list(value) if isinstance(value, tuple) else value


def is_loaded(scope: str, part: Part) -> bool:
    """Whether the session holds a value for every control."""
    return all(key_of(scope, name) in st.session_state for name in part.settings.model_fields)


def values(scope: str, part: Part) -> tuple[object, ...]:
    """What the controls hold, to be compared."""
    held = (st.session_state[key_of(scope, name)] for name in part.settings.model_fields)
    return tuple(tuple(value) if isinstance(value, list) else value for value in held)


def read(scope: str, part: Part) -> tuple[Settings | None, dict[str, str]]:
    """The settings that the controls ask for, or None and a message for each that cannot be used."""
    raw = {}
    for name in part.settings.model_fields:
        value = st.session_state[key_of(scope, name)]
        raw[name] = (
            parsed(part.settings, name, value) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
        )
    return validated(part.settings, raw)


def draw(scope: str, part: Part, problems: Mapping[str, str]) -> None:
    """Draw all of them; `problems` are messages by field."""
    for name, field in part.settings.model_fields.items():
        _draw(key_of(scope, name), field)
        if name in problems:
            st.error(plain(problems[name]))


def _draw(key: str, field: FieldInfo) -> None:
    label = field.title or key
    more: dict[str, Any] = {"key": key, "help": field.description, "persist_state": "session"}
    kind, choices = _bare(field.annotation), _choices(field)
    if get_origin(kind) is tuple and choices:
        st.multiselect(label, choices, format_func=word, **more)
    elif get_origin(kind) is tuple:
        more["help"] = f"{field.description} Separate the values by commas."
        st.text_input(label, **more)
    elif choices:
        st.selectbox(label, choices, format_func=word, **more)
    elif kind is bool:
        st.toggle(label, **more)
    elif kind is int or kind is float:
        st.number_input(label, **_number(field, kind), **more)
    else:
        st.text_input(label, **more)


def _number(field: FieldInfo, kind: type) -> dict[str, Any]:
    """Bounds as the model checks them; a value from outside is answered in words, not cut."""
    limits = {name: getattr(item, name) for item in field.metadata for name in ("ge", "le") if hasattr(item, name)}
    options: dict[str, Any] = {"min_value": kind(limits["ge"]), "max_value": kind(limits["le"])}
    return options | ({"step": 1} if kind is int else {"format": "%g", "step": _step(kind(limits["ge"]), kind(limits["le"]))})


def _step(least: float, most: float) -> float:
    """What a press of + adds: a hundredth of the range, to one digit."""
    return float(f"{(most - least) / 100:.0e}")


def _bare(annotation: Any) -> Any:
    """A type without its validators."""
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    """The values of a Literal, or of the Literals in a tuple; else nothing."""
    kind = _bare(field.annotation)
    if get_origin(kind) is tuple:
        kind = _bare(get_args(kind)[0])
    return get_args(kind) if get_origin(kind) is Literal else ()
