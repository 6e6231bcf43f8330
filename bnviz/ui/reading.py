"""What batch norm is and how to read the page, in plain words."""

import streamlit as st

from bnviz.ui.glossary import words_on_this_page

WHAT_IS_IT = """
A network learns from small groups of samples, **batches**. In each layer, **batch norm** looks at one unit's values over
the batch, subtracts their mean and divides by their standard deviation; then it multiplies by a learned number (gamma)
and adds another (beta), so that the layer can still choose its own scale. So every layer hands on values of a known size,
however the layers before it change. When the trained net is used, averages collected in training take the place
of the batch's own.

**What is compared.** Each curve is a network of its own. They are *twins*: the same initial weights, the same batches in the
same order, everything the same but the norm (the page shows fingerprints of the weights and the batches). Several trials
run at once, each with another seed: a line is their median, a band shows how far they spread.

**Why it helps** is still debated. The authors of the 2015 paper said that it keeps each layer's inputs from shifting about
(internal covariate shift); later work found that it makes the loss surface smoother and allows larger steps.
It does not always help: try *tiny batches*.

**Try this.** Press a preset. Drag the bar under the charts back in time. Change one setting, press Run, and see
whether the verdict changes.

Ioffe & Szegedy 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167) ·
Santurkar et al. 2018, [arXiv:1805.11604](https://arxiv.org/abs/1805.11604)
"""


def explain() -> None:
    """Draw the explanation and its words, folded."""
    with st.expander("What is batch norm, and how do I read this?"):
        st.markdown(WHAT_IS_IT)
    words_on_this_page(WHAT_IS_IT)
