"""The controls in the sidebar: one widget a field, its bounds and help from the configuration, its problem beneath it.

Streamlit keeps their values for the session, drawn or not (`persist_state`).
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from bnviz.config.models import MAX_ARMS, NORM_LABELS, RunConfig
from bnviz.ui import state
from bnviz.ui.draft import field_values, has_distinct_norms, varying_fields
from bnviz.ui.fields import ADVANCED, ADVANCED_KEY, MAIN_ROWS, NORMS, NORMS_KEY, Control, word
from bnviz.ui.plain import plain


def draw_controls(problems: Mapping[str, str]) -> None:
    """Draw all of them; `problems` are messages by the control's path."""
    base: RunConfig = st.session_state.base
    varying = varying_fields(base)
    _norms(base, problems)
    for row in MAIN_ROWS:
        for control, place in zip(row, st.columns(len(row)) if len(row) > 1 else [st.container()], strict=True):
            with place:
                _draw(control, varying, problems)
    _advanced(varying, problems)


def _advanced(varying: tuple[str, ...], problems: Mapping[str, str]) -> None:
    """The controls that few visitors need: drawn when opened, which keeps the first page light; trouble opens them."""
    if any(control.path in problems for control in ADVANCED):
        st.session_state[ADVANCED_KEY] = True
    box = st.expander("Advanced", key=ADVANCED_KEY, on_change="rerun")
    if box.open:
        with box:
            for control in ADVANCED:
                _draw(control, varying, problems)


def _norms(base: RunConfig, problems: Mapping[str, str]) -> None:
    if has_distinct_norms(base):
        st.multiselect(
            "Compare",
            [*NORMS, *(arm.norm for arm in base.arms if arm.norm not in NORMS)],
            key=NORMS_KEY,
            persist_state="session",
            format_func=NORM_LABELS.__getitem__,
            max_selections=MAX_ARMS,
            help="Each trains its own net: same initial weights, same batches. The reference is no norm, or else the first.",
        )
    else:
        st.caption(f"Compared, as the link has it: {plain(', '.join(base.arm_labels))}.")
    _problem("norms", problems)


def _draw(control: Control, varying: tuple[str, ...], problems: Mapping[str, str]) -> None:
    owner, _, name = control.path.rpartition(".")
    if owner == "arm" and name in varying:
        _differs(control, name)
    elif control.choices:
        on_change = state.adapt_to_dataset if control.path == "dataset.name" else None
        st.selectbox(
            control.label,
            control.choices,
            key=control.key,
            persist_state="session",
            format_func=word,
            help=control.help,
            on_change=on_change,
        )
    elif control.type is bool:
        st.toggle(control.label, key=control.key, persist_state="session", help=control.help)
    elif control.logarithmic:
        own = getattr(st.session_state.base.arms[0], name)
        st.select_slider(
            control.label,
            control.stops(own),
            key=control.key,
            persist_state="session",
            format_func="{:g}".format,
            help=control.help,
        )
    else:
        _number(control)
    _problem(control.path, problems)


def _number(control: Control) -> None:
    least, most = control.bounds
    if control.usual_most is not None:
        most = max(control.usual_most, getattr(st.session_state.base, control.path))
    options: dict[str, Any] = {
        "min_value": least,
        "max_value": most,
        "key": control.key,
        "persist_state": "session",
        "help": control.help,
    }
    if control.type is int:
        options["step"] = int(control.step or 1)
    else:
        options |= {"step": control.step, "format": "%g"}
    if control.optional:
        options |= {"value": None, "placeholder": "automatic"}
    st.number_input(control.label, **options)


def _differs(control: Control, name: str) -> None:
    """A value in which arms or trials differ is kept and shown; one press makes it the same for all."""
    base: RunConfig = st.session_state.base
    pairs = zip(base.arm_labels, base.arms, strict=True)
    values = ", ".join(f"{label} {' '.join(map(word, field_values(arm, name)))}" for label, arm in pairs)
    st.caption(f"{control.label} differs, as the link has it: {plain(values)}.")
    st.button(f"One value for all: {control.label.lower()}", key=f"one:{name}", on_click=state.use_one_value, args=(name,))


def _problem(path: str, problems: Mapping[str, str]) -> None:
    if path in problems:
        st.error(plain(problems[path]))
