"""The app's entry: its pages and what they share."""

from functools import partial

import streamlit as st

from bnviz.experiments.catalog import catalog
from bnviz.ui import claims_page, experiment_page
from bnviz.ui.look import style

EXPLORE = st.Page("explore.py", title="Explore", icon=":material/stacked_line_chart:", default=True)

st.set_page_config(page_title="Batch norm, live", page_icon="📉", layout="wide")
style()
experiments = {
    each.id: st.Page(partial(experiment_page.draw, each.id), title=each.title, icon=each.icon, url_path=each.id)
    for each in catalog().values()
}
claims = st.Page(partial(claims_page.draw, experiments), title="Claims board", icon=":material/fact_check:", url_path="claims")
st.navigation({"": [EXPLORE, claims], "Experiments": list(experiments.values())}, position="top").run()
