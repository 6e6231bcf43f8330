"""Colours by normalization, the same everywhere, and never colour alone."""

from itertools import combinations
from typing import get_args

import pytest

from bnviz.charts.theme import NORM_COLORS, NORM_DASHES, NORM_SYMBOLS, arm_styles, norm_style, plain_styles
from bnviz.config.models import ArmConfig, NormName, RunConfig

FIRST_SIX = {
    "batch": "#0072B2",
    "none": "#D55E00",
    "layer": "#009E73",
    "group": "#CC79A7",
    "instance": "#56B4E9",
    "rms": "#E69F00",
}


def test_colours_are_the_agreed_ones():
    assert {norm: NORM_COLORS[norm] for norm in FIRST_SIX} == FIRST_SIX


def test_every_norm_has_a_style_of_its_own():
    for table in (NORM_COLORS, NORM_DASHES, NORM_SYMBOLS):
        assert set(table) == set(get_args(NormName))
    assert len(set(NORM_COLORS.values())) == len(NORM_COLORS)
    for table in (NORM_DASHES, NORM_SYMBOLS):
        assert len({table[norm] for norm in FIRST_SIX}) == len(FIRST_SIX)


@pytest.mark.parametrize("norm", [norm for norm in get_args(NormName) if norm.startswith("batch_")])
def test_variants_of_batch_norm_differ_from_it_without_colour(norm):
    assert NORM_DASHES[norm] != NORM_DASHES["batch"]
    assert NORM_SYMBOLS[norm] != NORM_SYMBOLS["batch"]


@pytest.mark.parametrize(
    "styles",
    [
        arm_styles(RunConfig(arms=tuple(ArmConfig(norm="batch", lr=0.1 * (i + 1)) for i in range(6)))),
        plain_styles([f"thing {i}" for i in range(6)]),
    ],
)
def test_styles_on_one_chart_differ_in_colour_and_dash_and_symbol(styles):
    for one, other in combinations(styles, 2):
        assert one.color != other.color
        assert one.dash != other.dash
        assert one.symbol != other.symbol
        assert one.label != other.label


def test_more_plain_styles_than_colours_still_differ():
    styles = plain_styles([f"thing {i}" for i in range(12)])
    assert len({style.color for style in styles}) == 12
    assert len({(style.dash, style.symbol) for style in styles}) == 12


def test_a_norm_under_another_label_keeps_its_looks():
    assert norm_style("batch").label == "batch norm"
    style = norm_style("batch", "BN, batch of 8")
    assert (style.label, style.color, style.dash) == ("BN, batch of 8", "#0072B2", "solid")
