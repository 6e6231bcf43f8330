"""The batch that a visitor edits: tables on the page, and one text each in the settings and the link.

an edit -> _take -> checked on the server -> the setting's text, or a message beside the table and nothing changes
another text (preset, link, sidebar) -> _synchronized -> the tables are drawn anew from it
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from bnviz.config.problems import validated
from bnviz.experiments.kit.base import Part
from bnviz.experiments.parts.inside.batch_settings import ArithmeticSettings
from bnviz.experiments.parts.inside.tables import (
    LARGEST,
    MAX_FEATURES,
    MAX_SAMPLES,
    Rows,
    as_text,
    per_feature,
    resized,
    rows_of,
    short,
)
from bnviz.ui.knobs import key_of
from bnviz.ui.markdown import escaped

SCOPE = "inside.arithmetic"
MEMORY = "inside:tables"
EPS_KEY = "inside:eps"
PER_FEATURE = ("gamma", "beta", "running_mean", "running_var")
FRESH = (2.0, 4.0, 7.0, 1.0)  # numbers of added samples and features


class Refused(ValueError):
    """An edit that cannot be taken; the text says which number and why."""


def tables(part: Part, settings: ArithmeticSettings) -> None:
    """Draw the tables of the batch, of dL/dy and of gamma and beta, and epsilon."""
    memory = _synchronized(settings)
    for place, name, title in zip(st.columns([4, 4, 3]), ("batch", "upstream", "affine"), TITLES.values(), strict=True):
        with place:
            st.markdown(f"**{title}**")
            st.data_editor(
                _frame(name, settings, memory["rows"][name]),
                key=_editor_key(name),
                disabled=["_index"],
                on_change=_take,
                args=(part, settings, name),
                alt=f"{title}: a table to edit. The same numbers are a text field in the settings.",
            )
            if name == "affine":
                _epsilon(part, settings, memory)
            if name in memory["errors"]:
                st.error(escaped(memory["errors"][name]))
    _size_buttons(part, settings)


TITLES = {"batch": "Batch x", "upstream": "Gradient ∂L/∂y from above", "affine": "γ and β"}


def _texts(settings: ArithmeticSettings) -> dict[str, str]:
    return {"batch": settings.batch, "upstream": settings.upstream, "affine": f"{settings.gamma};{settings.beta}"}


def _rows(settings: ArithmeticSettings) -> dict[str, list[list[float]]]:
    affine = [settings.row("gamma").tolist(), settings.row("beta").tolist()]
    return {"batch": settings.x.tolist(), "upstream": settings.dy.tolist(), "affine": affine}


def _synchronized(settings: ArithmeticSettings) -> dict[str, Any]:
    """What the tables were drawn from; anew where the settings are no longer what the tables' edits made them."""
    memory = st.session_state.setdefault(MEMORY, {"texts": {}, "rows": {}, "generations": {}, "errors": {}})
    rows = _rows(settings)
    for name, text in _texts(settings).items():
        is_drawn = name in memory["generations"] and _editor_key(name) in st.session_state  # else its edits are gone
        if not is_drawn or memory["texts"][name] != text or np.shape(memory["rows"][name])[1] != len(rows["batch"][0]):
            memory["texts"][name], memory["rows"][name] = text, rows[name]
            memory["generations"][name] = memory["generations"].get(name, 0) + 1
            memory["errors"].pop(name, None)
    return memory


def _editor_key(name: str) -> str:
    """Another key makes another widget, without the edits of the one before."""
    return f"inside:{name}:{st.session_state[MEMORY]['generations'][name]}"


def _frame(name: str, settings: ArithmeticSettings, rows: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        rows, index=row_names(name, len(rows)), columns=[f"feature {k + 1}" for k in range(settings.x.shape[1])], dtype=float
    )


def row_names(name: str, count: int) -> list[str]:
    """What the rows of a table belong to."""
    return ["γ", "β"] if name == "affine" else [f"sample {i + 1}" for i in range(count)]


def _take(part: Part, settings: ArithmeticSettings, name: str) -> None:
    """A cell was changed: check the table and put it into the settings; for callbacks."""
    memory = st.session_state[MEMORY]
    try:
        edits = st.session_state[_editor_key(name)].get("edited_rows", {})
        rows = edited(memory["rows"][name], edits, row_names(name, len(memory["rows"][name])))
        changes = {"gamma": short(rows[0]), "beta": short(rows[1])} if name == "affine" else {name: as_text(rows)}
        now = apply(part, settings, changes)
    except Refused as error:
        memory["errors"][name] = str(error)
        return
    memory["errors"].pop(name, None)
    memory["texts"][name] = _texts(now)[name]


def edited(rows: list[list[float]], edits: Mapping[Any, Mapping[str, Any]], names: list[str]) -> Rows:
    """A table after edits as the browser reports them: {row: {"feature 1": value}}; `names` are those of the rows.

    Raises:
        Refused: a cell was emptied, or holds what is no number from -1000 to 1000; or the edit does not fit the table.
    """
    changed = [list(row) for row in rows]
    for row, cells in edits.items():
        for column, value in cells.items():
            try:
                i, k = int(row), int(column.removeprefix("feature ")) - 1
                name = f"{names[i]}, {column}"
                changed[i][k] = changed[i][k]
            except (IndexError, ValueError):
                raise Refused("There is no such cell.") from None
            changed[i][k] = _number(name, value)
    return tuple(tuple(row) for row in changed)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:  # false for NaN too
        shown = "nothing" if value is None else str(value)[:20]
        wanted = f"a number from {-LARGEST:g} to {LARGEST:g}"
        raise Refused(f"{name}: received {shown}; allowed: {wanted}. The last valid number stays in use.")
    return float(value)


def apply(part: Part, settings: ArithmeticSettings, changes: Mapping[str, Any]) -> ArithmeticSettings:
    """Put changed settings into the controls, or leave all as it is. Raises `Refused`."""
    now, messages = validated(part.settings, {**settings.model_dump(), **changes})
    if not isinstance(now, ArithmeticSettings):
        raise Refused("; ".join(f"{part.settings.model_fields[name].title}: {text}" for name, text in messages.items()))
    for name in changes:
        st.session_state[key_of(SCOPE, name)] = getattr(now, name)
    return now


def _epsilon(part: Part, settings: ArithmeticSettings, memory: dict[str, Any]) -> None:
    if "eps" not in memory["errors"]:
        st.session_state[EPS_KEY] = settings.eps
    st.number_input("ε", 0.0, 1.0, key=EPS_KEY, format="%g", step=0.01, on_change=_take_epsilon, args=(part, settings))
    if "eps" in memory["errors"]:
        st.error(escaped(memory["errors"]["eps"]))


def _take_epsilon(part: Part, settings: ArithmeticSettings) -> None:
    errors = st.session_state[MEMORY]["errors"]
    try:
        apply(part, settings, {"eps": st.session_state[EPS_KEY]})
        errors.pop("eps", None)
    except Refused as error:
        errors["eps"] = str(error)


def _size_buttons(part: Part, settings: ArithmeticSettings) -> None:
    samples, features = settings.x.shape
    row = st.container(horizontal=True)
    buttons = (
        ("Add a sample", samples + 1, features, samples < MAX_SAMPLES),
        ("Remove the last sample", samples - 1, features, samples > 1),
        ("Add a feature", samples, features + 1, features < MAX_FEATURES),
        ("Remove the last feature", samples, features - 1, features > 1),
    )
    for label, new_samples, new_features, is_possible in buttons:
        row.button(label, disabled=not is_possible, on_click=_resize, args=(part, settings, new_samples, new_features))


def _resize(part: Part, settings: ArithmeticSettings, samples: int, features: int) -> None:
    """Cut the tables, or add numbers to them; for callbacks."""
    changes = {"batch": as_text(resized(rows_of(settings.batch), samples, features, FRESH))}
    changes["upstream"] = as_text(resized(rows_of(settings.upstream), samples, features))
    for name in PER_FEATURE:
        changes[name] = short(per_feature(getattr(settings, name), features))
    try:
        apply(part, settings, changes)
    except Refused as error:
        st.session_state[MEMORY]["errors"]["batch"] = str(error)
