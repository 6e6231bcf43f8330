"""Explore: twins with and without batch norm train live."""

import streamlit as st

from bnviz.config.presets import PRESETS
from bnviz.ui import state
from bnviz.ui.controls import draw_controls
from bnviz.ui.reading import explain
from bnviz.ui.run_area import run_area

state.sync()  # submits the run of the URL before anything is drawn
draft = state.draft()

st.title("Batch norm, live")
if not state.controls_hidden():
    st.pills(
        "Presets",
        list(PRESETS),
        key=state.PRESET_KEY,
        format_func=lambda name: PRESETS[name].title,
        on_change=state.choose_preset,
        label_visibility="collapsed",
    )
st.markdown(state.headline())
run_area()
explain()
if not state.controls_hidden():
    with st.sidebar:
        draw_controls(draft.messages)
state.write_link(draft.config)
