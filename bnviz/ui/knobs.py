"""Controls for the settings of a part, read from their model: one widget per field, its problem beneath it.

Streamlit keeps their values for the session, drawn or not (`persist_state`).
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from bnviz.config.fields import FieldView, fields_of
from bnviz.config.overrides import from_text
from bnviz.config.problems import validated
from bnviz.config.query import as_text
from bnviz.experiments.kit.base import Part, Settings
from bnviz.ui.fields import word
from bnviz.ui.markdown import escaped


def key_of(scope: str, name: str) -> str:
    """Of a widget in the session state; `scope` names the experiment and its part."""
    return f"knob:{scope}:{name}"


def load(scope: str, settings: Settings) -> None:
    """Put settings into the controls; call it before they are drawn."""
    for name, view in fields_of(type(settings)).items():
        value = getattr(settings, name)
        typed = view.item is not None and not view.item.choices
        st.session_state[key_of(scope, name)] = (
            as_text(value, ", ") if typed else list(value) if isinstance(value, tuple) else value
        )


def is_loaded(scope: str, part: Part) -> bool:
    """Whether the session holds a value for every control."""
    return all(key_of(scope, name) in st.session_state for name in fields_of(part.settings))


def values(scope: str, part: Part) -> tuple[object, ...]:
    """What the controls hold, to be compared."""
    held = (st.session_state[key_of(scope, name)] for name in fields_of(part.settings))
    return tuple(tuple(value) if isinstance(value, list) else value for value in held)


def read(scope: str, part: Part) -> tuple[Settings | None, dict[str, str]]:
    """The settings that the controls ask for, or None and a message for each that cannot be used."""
    raw = {}
    for name, view in fields_of(part.settings).items():
        value = st.session_state[key_of(scope, name)]
        raw[name] = from_text(view, value) if isinstance(value, str) else value
    return validated(part.settings, raw)


def draw(scope: str, part: Part, messages: Mapping[str, str]) -> None:
    """Draw all of them, each with its own of the `messages`, by path."""
    for name, view in fields_of(part.settings).items():
        _draw(key_of(scope, name), view)
        if name in messages:
            st.error(escaped(messages[name]))


def _draw(key: str, view: FieldView) -> None:
    label, choices = view.title or key, view.item.choices if view.item else view.choices
    more: dict[str, Any] = {"key": key, "help": view.description, "persist_state": "session"}
    if view.item and choices:
        st.multiselect(label, choices, format_func=word, **more)
    elif view.item:
        more["help"] = f"{view.description} Separate the values with commas."
        st.text_input(label, **more)
    elif choices:
        st.selectbox(label, choices, format_func=word, **more)
    elif view.kind == "bool":
        st.toggle(label, **more)
    elif view.bounds:
        st.number_input(label, **_number(view, *view.bounds), **more)
    else:
        st.text_input(label, **more)


def _number(view: FieldView, least: float, most: float) -> dict[str, Any]:
    """Bounds as the model checks them; a value from outside is answered in words, not cut."""
    options: dict[str, Any] = {"min_value": least, "max_value": most}
    return options | ({"step": 1} if view.kind == "int" else {"format": "%g", "step": _step(least, most)})


def _step(least: float, most: float) -> float:
    """What a press of + adds: a hundredth of the range, to one digit."""
    return float(f"{(most - least) / 100:.0e}")
