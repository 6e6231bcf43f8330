"""Spacing that Streamlit's theme does not reach: less air above the charts, a settings button that says so."""

import streamlit as st

STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.75rem clamp(0.75rem, 2.5vw, 3rem) 1rem; }
[data-testid="stMainBlockContainer"] h1 { padding: 0 0 0.4rem; font-size: clamp(1.6rem, 2.6vw, 2.4rem); }
.st-key-experiment_head h1 { font-size: clamp(1.4rem, 2vw, 1.9rem); padding: 0; }
.st-key-experiment_head h3 { font-size: clamp(1.15rem, 1.7vw, 1.6rem); padding: 0.5rem 0 1.1rem; }
.katex-display { overflow: auto hidden; }
[data-testid="stSidebarHeader"] { height: 2.5rem; margin: 0; padding: 0.5rem 1rem 0; }
[data-testid="stExpandSidebarButton"]::after { content: "Settings"; padding-left: 0.25rem; }
[data-variant="pills"] { padding: 0.2rem 0.6rem; min-height: 2rem; font-size: 0.875rem; }
[data-variant="pills"][data-selected="true"],
[data-variant="segmented_control"][data-selected="true"] { color: inherit !important; }
@media (max-width: 640px) {
  [role="radiogroup"]:has(> [data-variant="pills"]) { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; }
  [data-variant="pills"] { flex-shrink: 0; }
  .st-key-prediction_row [role="radiogroup"] { flex-wrap: wrap; }
  [data-testid="stExpandSidebarButton"]::after { content: "Menu, settings"; }
}
@media (hover: none) { .st-key-run kbd { display: none; } }
</style>"""


def style() -> None:
    """Put the style sheet on the page."""
    st.html(STYLE)
