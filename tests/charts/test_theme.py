"""Colours by normalization, the same everywhere, and never colour alone."""

from itertools import combinations

from bnviz.charts.theme import NORM_COLORS, NORM_DASHES, arm_styles
from bnviz.config import ArmConfig, RunConfig


def test_colours_are_the_agreed_ones():
    assert NORM_COLORS == {
        "batch": "#0072B2",
        "none": "#D55E00",
        "layer": "#009E73",
        "group": "#CC79A7",
        "instance": "#56B4E9",
        "rms": "#E69F00",
    }


def test_every_norm_has_a_line_style_of_its_own():
    assert len(set(NORM_DASHES.values())) == len(NORM_DASHES) == len(NORM_COLORS)


def test_arms_of_one_norm_differ_in_colour_and_dash():
    config = RunConfig(arms=tuple(ArmConfig(norm="batch", lr=0.1 * (i + 1)) for i in range(6)))
    for one, other in combinations(arm_styles(config), 2):
        assert one.color != other.color
        assert one.dash != other.dash
        assert one.label != other.label
