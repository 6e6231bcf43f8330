"""The app's entry: its pages and what they share."""

from functools import partial

import streamlit as st

from bnviz.experiments.board.catalog import catalog
from bnviz.ui import address, claims_page, experiment_page, start
from bnviz.ui.look import style

EXPLORE = st.Page("explore.py", title="Explore", icon=":material/stacked_line_chart:", default=True)

st.set_page_config(page_title="Batch norm, live", page_icon="📉", layout="wide")
style()
experiments = {
    each.id: st.Page(partial(experiment_page.draw, each.id), title=each.title, icon=each.icon, url_path=each.id)
    for each in catalog().values()
}
pages = {"explore": EXPLORE, **experiments}
claims = pages["claims"] = st.Page(
    partial(claims_page.draw, experiments), title="Claims board", icon=":material/fact_check:", url_path="claims"
)
learn = st.Page(partial(start.draw, pages), title="Start here", icon=":material/school:", url_path="start")
page = st.navigation({"": [EXPLORE, learn, claims], "Experiments": list(experiments.values())}, position="top")
address.turn_to(page.url_path)
page.run()
