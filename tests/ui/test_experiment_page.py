"""The page that all experiments share, with an experiment of one part."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnviz.config.studies import StudyConfig
from bnviz.experiments.board import catalog, lessons
from bnviz.experiments.kit.base import Experiment
from bnviz.ui import experiment_page
from tests.studies.conftest import PART, TINY

LESSON = "# Tiny\n\nOpening.\n\n## losses\n\n### Why\nBecause.\n\n### Caveat\nNot always.\n"
SECOND = "## more\n\n### Why\nBecause of that.\n\n### Caveat\nSometimes not.\n"


def page() -> None:
    from bnviz.ui import experiment_page

    experiment_page.draw("tiny")


@pytest.fixture
def open_tiny(service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., AppTest]:
    """Open the page of the tiny experiment with a query."""
    import dataclasses

    more = dataclasses.replace(PART, id="more", title="More", caveat=("losses", "longer"))
    two = Experiment(TINY.id, TINY.number, TINY.title, TINY.icon, (PART, more))
    (tmp_path / "tiny.md").write_text(LESSON + SECOND)
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": two})
    monkeypatch.setattr(experiment_page, "catalog", lambda: {"tiny": two})
    lessons.lesson.cache_clear()

    def open_page(**query: str) -> AppTest:
        app = AppTest.from_function(page, default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return open_page


def run_button(app: AppTest):
    return app.button(key="run")


def predict(app: AppTest, choice: str = "lower", part: str = "losses") -> AppTest:
    return app.button_group(key=f"prediction:tiny.{part}").set_value(choice).run()


def launched(service) -> list[StudyConfig]:
    return service.engine.launched


def text(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.warning, app.error) for element in kind)


def test_the_page_asks_before_it_shows_anything(open_tiny, service):
    app = open_tiny()
    assert not app.exception
    assert app.title[0].value == "Tiny"
    assert app.subheader[0].value == "Whose loss is lower?"
    assert run_button(app).disabled
    assert "Predict first" in text(app)
    assert launched(service) == []


def test_run_starts_what_the_controls_ask_for(open_tiny, service):
    app = predict(open_tiny())
    assert not run_button(app).disabled
    app.number_input(key="knob:tiny.losses:steps").set_value(6)
    app.text_input(key="knob:tiny.losses:widths").set_value("3, 5")
    run_button(app).click()
    app.run()
    assert not app.exception
    (config,) = launched(service)
    assert config.settings | {"steps": 6, "widths": [3, 5]} == config.settings
    assert dict(app.query_params) == {"steps": "6", "widths": "3,5"}


def test_one_may_decline_to_predict(open_tiny, service):
    app = predict(open_tiny(), experiment_page.NO_PREDICTION)
    run_button(app).click()
    app.run()
    assert len(launched(service)) == 1


def test_a_bad_value_is_answered_beside_its_control_and_loses_nothing(open_tiny, service):
    app = predict(open_tiny())
    app.text_input(key="knob:tiny.losses:widths").set_value("3, many").run()
    assert run_button(app).disabled
    (error,) = app.error
    assert "many" in error.value
    assert app.text_input(key="knob:tiny.losses:widths").value == "3, many"
    app.text_input(key="knob:tiny.losses:widths").set_value("3").run()
    assert not app.error
    assert not run_button(app).disabled


def test_a_link_brings_its_settings_and_says_what_it_left_out(open_tiny):
    app = open_tiny(preset="longer", lr="0.3", norms="none,sine", steps="7")
    assert app.number_input(key="knob:tiny.losses:lr").value == 0.3
    assert app.number_input(key="knob:tiny.losses:steps").value == 7
    assert app.multiselect(key="knob:tiny.losses:norms").value == ["none", "batch"]
    (warning,) = app.warning
    assert "sine" in warning.value
    assert dict(app.query_params) == {"preset": "longer", "lr": "0.3", "steps": "7"}


def test_changed_settings_are_said_to_be_not_what_the_charts_show(open_tiny):
    app = predict(open_tiny())
    run_button(app).click()
    app.run()
    assert "press Run" not in text(app)
    app.number_input(key="knob:tiny.losses:steps").set_value(9).run()
    assert "Changed: press Run" in text(app)


def test_a_preset_is_run_at_once_after_a_prediction(open_tiny, service):
    app = open_tiny()
    app.button_group(key="preset:tiny.losses").set_value("longer").run()
    assert launched(service) == []
    assert app.number_input(key="knob:tiny.losses:steps").value == 8
    predict(app)
    app.button_group(key="preset:tiny.losses").set_value("small").run()
    assert [config.settings["steps"] for config in launched(service)] == [4]


def test_the_caveat_takes_the_visitor_to_where_the_effect_ends(open_tiny):
    app = open_tiny(part="more")
    app.button(key="caveat:tiny.more").click().run()
    assert not app.exception
    assert dict(app.query_params) == {"preset": "longer"}
    assert app.number_input(key="knob:tiny.losses:steps").value == 8


def test_a_part_keeps_its_settings_while_another_is_looked_at(open_tiny):
    app = open_tiny()
    app.number_input(key="knob:tiny.losses:steps").set_value(11).run()
    app.button_group(key="part:tiny").set_value("more").run()
    assert dict(app.query_params) == {"part": "more"}
    assert app.number_input(key="knob:tiny.more:steps").value == 4
    app.button_group(key="part:tiny").set_value("losses").run()
    assert app.number_input(key="knob:tiny.losses:steps").value == 11
    assert dict(app.query_params) == {"steps": "11"}


def test_the_presenters_view_has_no_controls(open_tiny):
    app = open_tiny(hide="controls", steps="5")
    assert not app.number_input
    assert not app.exception
    assert dict(app.query_params) == {"hide": "controls", "steps": "5"}


def test_a_full_house_is_said_and_loses_nothing(open_tiny, service):
    app = predict(open_tiny())
    for steps in (11, 12, 13, 14):
        app.number_input(key="knob:tiny.losses:steps").set_value(steps)
        run_button(app).click()
        app.run()
    (error,) = app.error
    assert "busy" in error.value
    assert app.number_input(key="knob:tiny.losses:steps").value == 14


def test_the_lesson_and_the_sources_are_on_the_page(open_tiny):
    said = text(open_tiny())
    assert "Opening." in said
    assert "Because." in said
    assert "Not always." in said
    assert "1502.03167" in said


def knob(app: AppTest, name: str):
    return app.number_input(key=f"knob:tiny.losses:{name}")


def at_address(app: AppTest, query: dict) -> AppTest:
    """As a browser whose address says this."""
    query = dict(query)
    app.query_params.clear()
    app.query_params.update(query)
    return app


def test_a_late_echo_of_the_address_undoes_no_change(open_tiny):
    app = open_tiny(steps="5")
    late = dict(app.query_params)
    knob(app, "steps").set_value(6).run()
    knob(app, "lr").set_value(0.3)
    at_address(app, late).run()
    assert (knob(app, "steps").value, knob(app, "lr").value) == (6, 0.3)
    predicted = predict(at_address(app, late))
    assert (knob(predicted, "steps").value, dict(predicted.query_params)) == (6, {"lr": "0.3", "steps": "6"})


def test_going_back_is_followed_also_to_an_empty_address(open_tiny):
    app = open_tiny()
    start = knob(app, "steps").value
    knob(app, "steps").set_value(6).run()
    knob(app, "steps").set_value(7).run()
    at_address(app, {"steps": "6"}).run()
    assert knob(app, "steps").value == 6
    at_address(app, {}).run()
    assert (knob(app, "steps").value, dict(app.query_params)) == (start, {})


def test_a_preset_whose_settings_were_made_by_hand_keeps_the_run(open_tiny, service):
    app = predict(open_tiny(preset="longer"))
    settings = PART.preset("longer").settings
    app.button_group(key="preset:tiny.losses").set_value(PART.presets[0].name).run()
    for name in ("steps", "lr"):
        if getattr(settings, name) != knob(app, name).value:
            knob(app, name).set_value(getattr(settings, name)).run()
    count = len(launched(service))
    app.button_group(key="preset:tiny.losses").set_value("longer").run()
    assert not app.exception
    assert launched(service)[-1].settings["steps"] == settings.steps
    assert app.session_state["visits"]["tiny.losses"].run_id
    assert len(launched(service)) <= count + 1
