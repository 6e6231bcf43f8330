"""Colours by normalization, the same everywhere, and never colour alone."""

import re
from itertools import combinations

import pytest

from bnviz.charts.theme import SHAPES, STROKES, arm_styles, norm_style, plain_styles
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.registry.norms import NORMS

FIRST_SIX = {
    "batch": "#0072B2",
    "none": "#D55E00",
    "layer": "#009E73",
    "group": "#CC79A7",
    "instance": "#56B4E9",
    "rms": "#E69F00",
}


WHITE, DARK = "#ffffff", "#0f1419"  # the page's backgrounds, in .streamlit/config.toml
FAINT = {  # colours that were agreed on before the rule; lines are thick, and differ in dash and symbol
    ("instance", WHITE): 2.3,
    ("rms", WHITE): 2.2,
    ("batch_noisy", DARK): 2.4,
}


def test_colours_are_the_agreed_ones():
    assert {norm: NORMS[norm].color for norm in FIRST_SIX} == FIRST_SIX


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_can_be_drawn(name):
    entry = NORMS[name]
    assert re.fullmatch("#[0-9A-F]{6}", entry.color)
    assert entry.dash in STROKES
    assert entry.symbol in SHAPES


def test_every_norm_has_a_style_of_its_own():
    for one, other in combinations(NORMS.values(), 2):
        names = (one.name, other.name)
        assert one.color != other.color, names
        assert (one.dash, one.symbol) != (other.dash, other.symbol), names
    for what in ("dash", "symbol"):
        assert len({getattr(NORMS[norm], what) for norm in FIRST_SIX}) == len(FIRST_SIX)


@pytest.mark.parametrize("norm", [norm for norm in NORMS if norm.startswith("batch_")])
def test_variants_of_batch_norm_differ_from_it_without_colour(norm):
    assert NORMS[norm].dash != NORMS["batch"].dash
    assert NORMS[norm].symbol != NORMS["batch"].symbol


@pytest.mark.parametrize("page", [WHITE, DARK])
@pytest.mark.parametrize("name", NORMS)
def test_a_norms_colour_stands_out_from_the_page(name, page):
    """At least 3 : 1, as WCAG 2.2 asks of what a chart is made of (success criterion 1.4.11)."""
    assert contrast(NORMS[name].color, page) >= FAINT.get((name, page), 3)


def contrast(one: str, other: str) -> float:
    """(L1 + 0.05) / (L2 + 0.05) of the relative luminances, from 1 to 21."""
    dark, light = sorted(luminance(color) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_that_of_the_definition():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


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
