"""What stands above the charts of `inside`: a batch to edit, its arithmetic step by step, inference, the norms' axes."""

import numpy as np
import pandas as pd
import streamlit as st

from bnviz.closed_forms.arithmetic import Forward, backward, forward, inference, updated_running
from bnviz.experiments.kit.base import Part, Settings
from bnviz.experiments.parts.inside.batch_settings import ArithmeticSettings
from bnviz.ui.bodies.inside_drawings import NORM_AXES, cube, lines, lines_in_words, numbers_of
from bnviz.ui.bodies.inside_edit import tables
from bnviz.ui.bodies.inside_steps import Step, bracketed, steps, tex

STEP_KEY, ALL_KEY, SAMPLE_KEY, FEATURE_KEY = "inside:step", "inside:all", "inside:sample", "inside:feature"
LINES_WIDTH = 640  # less where the page is narrower


def draw(part: Part, settings: Settings) -> None:
    """Draw it."""
    assert isinstance(settings, ArithmeticSettings)
    tables(part, settings)
    step_by_step, train_and_inference, axes = st.tabs(["Step by step", "Training and inference", "Which axes"])
    with step_by_step:
        _stepper(settings)
    with train_and_inference:
        _modes(settings)
    with axes:
        _axes()


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def _forward(settings: ArithmeticSettings) -> Forward:
    return forward(settings.x, settings.row("gamma"), settings.row("beta"), settings.eps)


@st.fragment
def _stepper(settings: ArithmeticSettings) -> None:
    """The steps, one at a time or all: a press redraws nothing else."""
    done = _forward(settings)
    feature, sample = _which(*reversed(settings.x.shape))
    found = steps(done, backward(done, settings.dy), sample, feature)
    now = min(st.session_state.setdefault(STEP_KEY, 0), len(found) - 1)
    row = st.container(horizontal=True, vertical_alignment="center")
    show_all = st.session_state.get(ALL_KEY, False)
    row.button("Back", shortcut="B", key="inside:back", disabled=show_all or now == 0, on_click=_go, args=(now - 1,))
    row.button("Next", shortcut="N", key="inside:next", disabled=show_all or now == len(found) - 1, on_click=_go, args=(now + 1,))
    row.toggle("Show all", key=ALL_KEY, persist_state="session")
    if not show_all:
        row.caption(f"Step {now + 1} of {len(found)}, {found[now].way}")
    for number, step in enumerate(found):
        if show_all or number == now:
            _step(number + 1, step)
    st.image(lines(done, feature, _theme()), width=LINES_WIDTH, alt=lines_in_words(done, feature))
    st.caption(
        f"Feature {feature + 1}: dots are samples, the bar reaches from one standard deviation below the mean to one above."
    )


def _go(step: int) -> None:
    st.session_state[STEP_KEY] = step


def _which(features: int, samples: int) -> tuple[int, int]:
    """Which feature and sample are put into the formulas, from 0."""
    row = st.container(horizontal=True)
    with row:
        feature = _choice("Feature in the formulas", FEATURE_KEY, features)
        sample = _choice("Sample in the formulas", SAMPLE_KEY, samples)
    return feature, sample


def _choice(label: str, key: str, count: int) -> int:
    if count == 1:
        return 0
    if not 0 <= (st.session_state.get(key) or 0) < count:
        st.session_state[key] = 0
    st.session_state.setdefault(key, 0)
    chosen = st.segmented_control(label, range(count), key=key, format_func=lambda i: str(i + 1), persist_state="session")
    return chosen or 0


def _step(number: int, step: Step) -> None:
    st.markdown(f"**{number}. {step.title}.** {step.words}")
    formula, table = st.columns([3, 2], gap="medium")
    with formula:
        st.latex(step.formula)
        st.latex(step.filled)
    with table:
        st.table(_shown(step.values, [f"{name}, {step.symbol}" for name in step.row_names]))


def _shown(values: np.ndarray, index: list[str]) -> pd.DataFrame:
    """Four significant digits, one column per feature."""
    columns = [f"feature {k + 1}" for k in range(np.shape(values)[1])]
    return pd.DataFrame([[f"{value:.4g}" for value in row] for row in values], index=index, columns=columns)


def _modes(settings: ArithmeticSettings) -> None:
    """How running statistics come about, and what the norm does with them when the trained net is used."""
    done = _forward(settings)
    mean, var, gamma, beta = (settings.row(name)[None] for name in ("running_mean", "running_var", "gamma", "beta"))
    new_mean, new_var = updated_running(mean, var, done, settings.momentum)
    scale, shift, y = inference(settings.x, mean, var, gamma, beta, settings.eps)
    alpha, keep = tex(settings.momentum), tex(1 - settings.momentum)
    st.markdown("**In training** every batch also moves the running statistics a little (α is called momentum):")
    st.latex(
        r"\mu_\mathrm{run} \leftarrow (1 - \alpha)\, \mu_\mathrm{run} + \alpha\, \mu, \qquad "
        r"\sigma^2_\mathrm{run} \leftarrow (1 - \alpha)\, \sigma^2_\mathrm{run} + \alpha\, \tfrac{B}{B-1} \sigma^2"
    )
    st.latex(
        rf"\mu_\mathrm{{run}} \leftarrow {keep} \cdot {bracketed(tex(mean[0, 0]))} + "
        rf"{alpha} \cdot {bracketed(tex(done.mean[0, 0]))} = {tex(new_mean[0, 0])}"
    )
    names = ["running mean, before", "running mean, after", "running variance, before", "running variance, after"]
    st.table(_shown(np.concatenate([mean, new_mean, var, new_var]), names))
    if done.count == 1:
        st.caption("A batch of one sample has no unbiased variance: the running variance keeps its value.")
    st.markdown("**At inference** they take the place of the batch's own. What is left is a straight line for each feature:")
    st.latex(
        r"y = a\,x + c, \qquad a = \frac{\gamma}{\sqrt{\sigma^2_\mathrm{run} + \varepsilon}}, "
        r"\qquad c = \beta - a \mu_\mathrm{run}"
    )
    samples = range(1, len(y) + 1)
    values = np.concatenate([scale, shift, *(np.stack([done.y[i], y[i]]) for i in range(len(y)))])
    labels = [part for i in samples for part in (f"sample {i}, y in training", f"sample {i}, y at inference")]
    st.table(_shown(values, ["a", "c", *labels]))


def _axes() -> None:
    """What each norm averages over: drawn and in words."""
    st.markdown(
        "The same numbers, averaged in different ways. A convolution has samples N, channels C and positions H, W; what is "
        "coloured shares **one** mean and variance. A dense layer has no positions: its features are the channels, and "
        "batch norm averages each over the samples, as in the table above."
    )
    row = st.container(horizontal=True)
    for words in NORM_AXES:
        statistics, count = numbers_of(words.norm)
        said = f"{words.over}: here {statistics} of {count} numbers each"
        with row.container(width=190):
            st.markdown(f"**{words.title}**")
            st.image(cube(words.norm, _theme()), width="stretch", alt=f"{words.title}: {said}.")
            st.caption(f"{said[0].upper()}{said[1:]}.")
    st.caption("Only batch norm looks at other samples, so only its output for a sample depends on the rest of the batch.")
