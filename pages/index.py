"""The app's entry: its pages and what they share."""

import streamlit as st

from bnviz.ui.look import style

st.set_page_config(page_title="Batch norm, live", page_icon="📉", layout="wide")
style()
st.navigation([st.Page("explore.py", title="Explore", icon=":material/stacked_line_chart:", default=True)], position="top").run()
