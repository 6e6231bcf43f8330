"""An arm's name is a visitor's own text: Plotly, which reads tags, entities, templates and formulas, shows it as it is."""

import html
from collections.abc import Iterator
from typing import Any

import pytest

from bnviz.charts.spec import ChartSpec
from bnviz.charts.theme import plain_styles
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.panels.explore import ExploreEncoder

NAMES = ('<a href="//e.org">x</a> %{x} $y$<b>&lt;', "&#60;i&#62; %{y:.3g}|%{x|%Y} $$e.org$$")
CONFIG = RunConfig(
    dataset=DatasetConfig(name="moons"), arms=tuple(ArmConfig(name=name) for name in NAMES), extras=("decision_boundary",)
)


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a figure, with the name that it stands under."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item, key)
    elif isinstance(value, str):
        yield key, value


def assert_harmless(text: str) -> None:
    """No mark that Plotly acts on is left in the label, which stands before the template's first line break."""
    label = text.split("<br>")[0]
    assert not set(label) & {"<", ">", "%", "$"}
    assert html.unescape(label) in NAMES


def test_no_figure_of_the_explore_panel_holds_live_names(started):
    skeleton = ExploreEncoder().start(started(CONFIG, plane=True))
    assert [arm["label"] for arm in skeleton["arms"]] == [*NAMES], "the legend is no figure: it holds the text itself"
    found = set()
    for chart in skeleton["charts"]:
        for key, text in texts(chart["figure"]):
            if "e.org" in text:
                found.add(key)
                assert_harmless(text)
    assert found == {"name", "hovertemplate", "text"}


@pytest.mark.parametrize("name", NAMES)
def test_no_kind_of_trace_holds_a_live_name(name):
    (style,) = plain_styles([name])
    chart = ChartSpec("any", "", "", "append", {})
    chart.add_line(style, 0, 0, "%{y}", markers=True)
    chart.add_range(style, 0, 0.0, 1.0, "%{y}")
    chart.add_flags(style, 0, 0, 1.0, "%{y}")
    told = [text for _, text in texts(chart.data) if "e.org" in text]
    assert len(told) == 6
    for text in told:
        assert_harmless(text)
