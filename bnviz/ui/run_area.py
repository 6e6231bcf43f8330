"""Run, the live panel and what can be taken home; a fragment, so that a press of Run redraws nothing else."""

import streamlit as st

from bnviz.config.presets import PRESETS
from bnviz.ui import state
from bnviz.ui.fields import COMPARE, CONTROLS
from bnviz.ui.live_panel import live_panel
from bnviz.ui.markdown import escaped

TABLES = {"curves": "loss and accuracy", "layers": "layers", "histograms": "histograms"}
LABELS = {control.path: control.label for control in (*CONTROLS, COMPARE)}
RUN_SHORTCUT = "Ctrl+Enter"


@st.fragment
def run_area() -> None:
    """Draw it: the press itself has been dealt with in the button's callback, before this runs."""
    shown: state.Shown = st.session_state.shown
    asked = state.draft()
    for notice in st.session_state.notices:
        st.warning(escaped(notice))
    row = st.container(horizontal=True, vertical_alignment="center")
    row.button("Run", type="primary", icon=":material/play_arrow:", key="run", on_click=state.press_run, shortcut=RUN_SHORTCUT)
    row.markdown(_note(shown, asked))
    if shown.error:
        st.error(escaped(shown.error), icon=":material/error:")
    if shown.run_id:
        live_panel(shown.run_id)
        _take_home(shown)


def _note(shown: state.Shown, asked: state.Draft) -> str:
    """One line beside Run: what the controls' state means for what is shown."""
    if asked.config is None:
        path, message = next(iter(asked.messages.items()))
        return f":red[**Cannot run.** {LABELS.get(path, escaped(path))}: {escaped(message)}]"
    if asked.config != shown.config:
        return ":orange[**Changed: press Run.**] The charts still show the earlier settings."
    preset = PRESETS[st.session_state.origin]
    return preset.what_to_see if shown.config == preset.config else ""


def _take_home(shown: state.Shown) -> None:
    box = st.expander("Download the numbers, share the run", key="take_home", on_change="rerun")
    if not box.open:  # what shows the link is heavy to load
        return
    for table, words in TABLES.items():
        base = f"api/runs/{shown.run_id}/{table}"
        box.markdown(f"{words.capitalize()}: [CSV]({base}.csv) or [Parquet]({base}.parquet)")
    box.caption("This link opens the same run, number for number, on any computer:")
    box.code(state.link(shown.config), language=None, wrap_lines=True)
