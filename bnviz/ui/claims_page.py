"""The claims board: one row per claim with its source, what this build measured, the verdict, and the way to the experiment."""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from bnviz.experiments.board.claims import (
    FILES,
    NOT_MEASURED,
    Board,
    Row,
    as_csv,
    as_markdown,
    changes_since,
    footing,
    read,
    summary,
)
from bnviz.ui.markdown import escaped

WORDS = {  # Streamlit's icon and colour; the word itself is always there
    "supported": (":material/check_circle:", "green"),
    "mixed": (":material/contrast:", "orange"),
    "not supported in this setting": (":material/cancel:", "red"),
    NOT_MEASURED: (":material/remove:", "gray"),
}
COLUMNS = (3, 6, 6, 3)
MOST_CHANGES = 5  # that are listed
HEADINGS = ("Verdict", "Claim and source", "Measured here", "Experiment")
INTRODUCTION = """Books, papers and blogs claim many things about batch norm. Each claim below was put to a test: an experiment of
this app ran with the settings that its link opens, and a rule fixed beforehand turned the numbers into a verdict. *Supported*,
*mixed* and *not supported* hold for these small networks in these settings; other settings can give other answers."""
STYLE = """<style>
[class*="st-key-claim_"], .st-key-claims_head { padding: 0.4rem 0.9rem; }
.st-key-claims_head { padding-bottom: 0; }
@media (max-width: 640px) { .st-key-claims_head { display: none; } }
</style>"""
COMMAND = "`bnviz claims --out DIR` computes it again."


def draw(pages: Mapping[str, StreamlitPage]) -> None:
    """Draw the page.

    Args:
        pages: of the experiments, by their id.
    """
    st.title("The claims board", anchor=False)
    st.markdown(INTRODUCTION)
    board = read()
    if board is None:
        st.warning(f"There is no recorded board. {COMMAND}", icon=":material/warning:")
        return
    changed = changes_since(board)
    if changed:
        more = f"; and {len(changed) - MOST_CHANGES} more" if len(changed) > MOST_CHANGES else ""
        told = escaped("; ".join(changed[:MOST_CHANGES]))
        st.warning(f"The app has changed since this board was recorded: {told}{more}.", icon=":material/update:")
    st.markdown(f"**{escaped(summary(board))}.**")
    _table(board, pages)
    st.caption(f"{escaped(footing(board))} {COMMAND}")
    _downloads(board)


def _table(board: Board, pages: Mapping[str, StreamlitPage]) -> None:
    """A head, and one row per claim; on a phone the cells of a row stand one below the other."""
    st.html(STYLE)
    with st.container(key="claims", gap="xsmall"):
        head = st.container(key="claims_head", border=False)
        for cell, heading in zip(head.columns(COLUMNS), HEADINGS, strict=True):
            cell.markdown(f"**{heading}**")
        for row in board.rows:
            with st.container(border=True, key=f"claim_{row.id}"):
                _row(row, pages)


def _row(row: Row, pages: Mapping[str, StreamlitPage]) -> None:
    verdict, claim, measured, where = st.columns(COLUMNS, vertical_alignment="center")
    icon, color = WORDS.get(row.judgement, WORDS[NOT_MEASURED])
    verdict.markdown(f":{color}[{icon} **{escaped(row.judgement)}**]")
    claim.markdown(f"{escaped(row.claim)}  \n:small[[{escaped(row.source)}]({row.source_url})]")
    measured.markdown(escaped(row.measured))
    page = pages.get(row.experiment)
    if page is not None:
        where.page_link(page, label=page.title, query_params=row.query, width="stretch")


def _downloads(board: Board) -> None:
    row = st.container(horizontal=True)
    row.download_button("CSV", as_csv(board), FILES[1], "text/csv", icon=":material/download:", on_click="ignore")
    row.download_button("Markdown", as_markdown(board), FILES[2], "text/markdown", icon=":material/download:", on_click="ignore")
