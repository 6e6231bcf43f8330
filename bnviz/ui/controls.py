"""The controls in the sidebar: one widget per field, its bounds and help from the configuration, its problem beneath it.

Streamlit keeps their values for the session, drawn or not (`persist_state`).
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from bnviz.config.models import MAX_ARMS, RunConfig
from bnviz.registry.norms import NORMS
from bnviz.ui import state
from bnviz.ui.draft import field_values, has_distinct_norms, values_of, varying_paths
from bnviz.ui.fields import ADVANCED, ADVANCED_KEY, COMPARE, COMPARED, MAIN_ROWS, Control, word
from bnviz.ui.markdown import escaped


def draw_controls(messages: Mapping[str, str]) -> None:
    """Draw all of them, each with its own of the `messages`, by path."""
    base: RunConfig = st.session_state.base
    varying = varying_paths(base)
    _norms(base, messages)
    for row in MAIN_ROWS:
        for control, place in zip(row, st.columns(len(row)) if len(row) > 1 else [st.container()], strict=True):
            with place:
                _draw(control, varying, messages)
    _advanced(varying, messages)


def _advanced(varying: tuple[str, ...], messages: Mapping[str, str]) -> None:
    """The controls that few visitors need: drawn when opened, which keeps the first page light; trouble opens them."""
    if any(control.path in messages for control in ADVANCED):
        st.session_state[ADVANCED_KEY] = True
    box = st.expander("Advanced", key=ADVANCED_KEY, on_change="rerun")
    if box.open:
        with box:
            for control in ADVANCED:
                _draw(control, varying, messages)


def _norms(base: RunConfig, messages: Mapping[str, str]) -> None:
    if has_distinct_norms(base):
        st.multiselect(
            COMPARE.label,
            [*COMPARED, *(arm.norm for arm in base.arms if arm.norm not in COMPARED)],
            key=COMPARE.key,
            persist_state="session",
            format_func=lambda name: NORMS[name].label,
            max_selections=MAX_ARMS,
            help="Each has its own net: same initial weights, same batches. The reference is the plain net, or else the first.",
        )
    else:
        st.caption(f"Compared, as set by the link: {escaped(', '.join(base.arm_labels))}.")
    _message(COMPARE, messages)


def _draw(control: Control, varying: tuple[str, ...], messages: Mapping[str, str]) -> None:
    field = control.field
    if control.path in varying:
        _differs(control)
    elif field.choices:
        on_change = state.adapt_to_dataset if control.path == "dataset.name" else None
        st.selectbox(
            control.label,
            field.choices,
            key=control.key,
            persist_state="session",
            format_func=word,
            help=control.help,
            on_change=on_change,
        )
    elif field.kind == "bool":
        st.toggle(control.label, key=control.key, persist_state="session", help=control.help)
    elif control.logarithmic:
        st.select_slider(
            control.label,
            control.stops(values_of(st.session_state.base)[control.path]),
            key=control.key,
            persist_state="session",
            format_func="{:g}".format,
            help=control.help,
        )
    else:
        _number(control)
    _message(control, messages)


def _number(control: Control) -> None:
    least, most = control.field.bounds or (None, None)
    if control.usual_most is not None:
        most = max(control.usual_most, values_of(st.session_state.base)[control.path])
    options: dict[str, Any] = {
        "min_value": least,
        "max_value": most,
        "key": control.key,
        "persist_state": "session",
        "help": control.help,
    }
    if control.field.kind == "int":
        options["step"] = int(control.step or 1)
    else:
        options |= {"step": control.step, "format": "%g"}
    if control.field.optional:
        options |= {"value": None, "placeholder": "automatic"}
    st.number_input(control.label, **options)


def _differs(control: Control) -> None:
    """A value in which arms or trials differ is kept and shown; one press makes it the same for all."""
    base: RunConfig = st.session_state.base
    pairs = zip(base.arm_labels, base.arms, strict=True)
    values = ", ".join(f"{label} {' '.join(map(word, field_values(arm, control.field.name)))}" for label, arm in pairs)
    st.caption(f"{control.label} differs, as set by the link: {escaped(values)}.")
    st.button(
        f"One value for all: {control.label.lower()}",
        key=f"one:{control.path}",
        on_click=state.use_one_value,
        args=(control.path,),
    )


def _message(control: Control, messages: Mapping[str, str]) -> None:
    if control.path in messages:
        st.error(escaped(messages[control.path]))
