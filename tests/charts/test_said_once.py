"""What both Python and the browser need to know is said once: in Python, or in the style sheet, and sent or read from there."""

import re
from collections.abc import Callable, Iterator

import pytest

from bnviz.charts import explore as figures
from bnviz.charts import spec, theme
from bnviz.config.models import RunConfig
from bnviz.experiments.board.catalog import catalog, study_config
from bnviz.panels import PANELS
from bnviz.records.records import StudyStarted
from bnviz.web import static


@pytest.fixture
def starts(started: Callable) -> Callable[[], Iterator[dict]]:
    """The `panel` events of a run and of a study."""

    experiment = next(iter(catalog().values()))
    part = experiment.parts[0]
    study = study_config(experiment.id, part.id, part.presets[0].settings)

    def starts() -> Iterator[dict]:
        yield PANELS["explore"]().start(started(RunConfig(trials=2, steps=4)))
        yield PANELS["study"]().start(StudyStarted("0" * 16, study, {}))

    return starts


@pytest.mark.parametrize(
    ("constant", "key", "value"),
    [
        ("ALPHABET", "alphabet", "zyx"),
        ("NOT_MEASURED", "not_measured", "~"),
        ("DIVERGED", "diverged", "#"),
        ("DIVERGED_COLOR", "diverged_color", "#123456"),
    ],
)
def test_how_cells_are_packed_is_sent(starts, monkeypatch, constant, key, value):
    monkeypatch.setattr(spec, constant, value)
    assert [start["cells"][key] for start in starts()] == [value, value]


def test_the_height_of_a_distribution_is_sent(starts, monkeypatch):
    monkeypatch.setattr(figures, "RIDGE_HEIGHT", 3.5)
    run, _ = starts()
    (chart,) = (chart for chart in run["charts"] if chart["id"] == "histograms")
    assert {mark["height"] for mark in chart["marks"]} == {3.5}
    assert chart["y"]["range"][1] > len(chart["figure"]["layout"]["yaxis"]["tickvals"]) - 1 + 3.5


def test_dashes_and_symbols_of_legends_are_sent(starts, monkeypatch):
    monkeypatch.setitem(theme.SHAPES, "circle", "M1 2z")
    monkeypatch.setitem(theme.STROKES, "solid", "9 9")
    run, _ = starts()
    (batch,) = (arm for arm in run["arms"] if arm["label"] == "batch norm")
    assert (batch["shape"], batch["stroke"]) == ("M1 2z", "9 9")


def test_the_panel_s_scripts_repeat_none_of_it():
    scripts = {file.name: file.read_text() for file in static.PANEL_FOLDER.glob("*.js")}
    strokes = [f'"{stroke}"' for stroke in theme.STROKES.values() if stroke != "none"]
    literals = [spec.ALPHABET[:10], theme.DIVERGED_COLOR, str(figures.RIDGE_HEIGHT), *theme.SHAPES.values(), *strokes]
    found = {name: [literal for literal in literals if literal in text] for name, text in scripts.items()}
    assert not any(found.values()), found
    assert not [name for name, text in scripts.items() if re.search("the same (in|as)", text)]


def test_widths_at_which_the_layout_changes_are_the_style_sheet_s():
    style = (static.PANEL_FOLDER / "panel.css").read_text()
    widths = set(re.findall(r"-width: (\d+)px", style))
    assert "1700" in widths
    for file in static.PANEL_FOLDER.glob("*.js"):
        text = file.read_text()
        assert "innerWidth" not in text, file.name
        assert not set(re.findall(r"\b\d{3,4}\b", text)) & (widths - {"1000"}), file.name  # a thousand milliseconds are a second
