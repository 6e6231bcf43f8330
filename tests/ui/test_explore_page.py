"""The explore page, run whole."""

import pytest
from streamlit.testing.v1 import AppTest

from bnviz.config.presets import PRESETS
from bnviz.runs.service import RunService
from bnviz.ui.fields import CONTROLS, Control
from bnviz.ui.markdown import escaped
from tests.ui.explore import OpenPage, link_of, press_run, shown, unfold, widget, words


def test_arriving_starts_the_classic_race(open_page: OpenPage, service: RunService) -> None:
    app = open_page()
    assert not app.exception
    assert app.title[0].value == "Batch norm, live"
    assert shown(app) == PRESETS["classic"].config
    assert service.status(shown(app).run_id).state == "running"
    assert PRESETS["classic"].sentence in words(app)
    assert PRESETS["classic"].what_to_see in words(app)
    assert not app.warning
    assert not app.error


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_opens_by_link(open_page: OpenPage, name: str) -> None:
    app = open_page(preset=name)
    assert not app.exception
    assert shown(app) == PRESETS[name].config
    assert PRESETS[name].sentence in words(app)
    assert link_of(app) == PRESETS[name].config


@pytest.mark.parametrize("control", [c for c in CONTROLS if c.field.bounds], ids=lambda c: c.path)
def test_widgets_have_the_bounds_of_the_configuration(page_of_the_bounds: AppTest, control: Control) -> None:
    found = widget(page_of_the_bounds, control.path)
    least, most = control.field.bounds
    if control.logarithmic:
        assert (float(found.options[0]), float(found.options[-1])) == (least, most)
    else:
        assert (found.min, found.max) == (least, control.usual_most or most)
    assert found.help == control.help


@pytest.fixture
def page_of_the_bounds(open_page: OpenPage) -> AppTest:
    return unfold(open_page(), "advanced")


def test_a_changed_control_waits_for_run(open_page: OpenPage, service: RunService) -> None:
    app = open_page()
    widget(app, "steps").set_value(50).run()
    assert shown(app).steps == 600
    assert "Changed: press Run" in words(app)
    assert link_of(app).steps == 50
    press_run(app)
    assert shown(app).steps == 50
    assert "Changed" not in words(app)
    assert service.status(link_of(app).run_id).state == "running"


def test_the_link_reproduces_what_the_controls_say(open_page: OpenPage) -> None:
    app = unfold(open_page(), "advanced")
    widget(app, "arms.*.activation").set_value("tanh")
    widget(app, "arms.*.lr").set_value(0.5)
    widget(app, "seed").set_value(11)
    widget(app, "arms.*.residual").set_value(True)
    app.get_by_key("control:arms.*.norm").set_value(["batch", "rms"]).run()
    press_run(app)
    config = shown(app)
    assert {(arm.activation, arm.lr, arm.residual) for arm in config.arms} == {("tanh", 0.5, True)}
    assert [arm.norm for arm in config.arms] == ["batch", "rms"]
    assert link_of(app) == config
    assert "seed=11" in unfold(app, "take_home").code[0].value


def test_a_preset_loads_and_runs_and_undoes_changes(open_page: OpenPage) -> None:
    app = open_page()
    app.get_by_key("preset").set_value("deep_30").run()
    assert shown(app) == PRESETS["deep_30"].config
    assert widget(app, "arms.*.depth").value == 30
    widget(app, "arms.*.depth").set_value(4).run()
    app.get_by_key("preset").set_value(None).run()
    assert shown(app) == PRESETS["deep_30"].config
    assert widget(app, "arms.*.depth").value == 30


def test_bad_input_is_said_beside_the_control_and_loses_nothing(open_page: OpenPage) -> None:
    app = open_page()
    widget(app, "seed").set_value(5)
    app.get_by_key("control:arms.*.norm").set_value(["none", "group"])
    widget(app, "arms.*.width").set_value(30).run()
    said = "Received 4; allowed: a divisor of the width 30: 1, 2, 3, 5, 6, 10, 15, 30."
    assert [error.value.replace("\\", "") for error in app.error] == [said]
    assert "**Cannot run.** Groups of group norm: " in words(app)
    press_run(app)
    assert shown(app) == PRESETS["classic"].config
    assert (widget(app, "seed").value, widget(app, "arms.*.width").value) == (5, 30)
    widget(app, "arms.*.group_count").set_value(5).run()
    assert not app.error
    press_run(app)
    assert (shown(app).seed, shown(app).arms[1].group_count) == (5, 5)


def test_no_norm_chosen_is_said(open_page: OpenPage) -> None:
    app = open_page()
    app.get_by_key("control:arms.*.norm").set_value([]).run()
    assert app.error[0].value == escaped("Choose at least one, at most six.")


def test_too_costly_is_said_before_and_after_arriving(open_page: OpenPage) -> None:
    app = open_page(**{"arms.0.width": "512", "arms.1.width": "512", "arms.0.depth": "90", "arms.1.depth": "90", "steps": "5000"})
    assert not app.exception
    assert shown(app).arms[0].width == 512
    assert any("multiply-adds" in error.value.replace("\\", "") for error in app.error)
    widget(app, "arms.*.width").set_value(8)
    widget(app, "arms.*.depth").set_value(2).run()
    press_run(app)
    assert not app.error


def test_another_data_set_takes_sizes_that_fit(open_page: OpenPage) -> None:
    app = unfold(open_page(), "advanced")
    widget(app, "dataset.train_size").set_value(1300)
    widget(app, "probe_size").set_value(600)
    widget(app, "batch_size").set_value(500).run()
    widget(app, "dataset.name").set_value("wine").run()
    assert not app.error
    assert (widget(app, "batch_size").value, widget(app, "probe_size").value) == (118, 118)
    assert widget(app, "dataset.train_size").value is None
    widget(app, "dataset.name").set_value("moons").run()
    press_run(app)
    assert shown(app).extras == ("decision_boundary",)


def test_a_junk_link_opens_with_notices_and_sane_values(open_page: OpenPage) -> None:
    app = open_page(**{"arms.0.lr": "-3", "colour": "red", "seed": "4", "preset": "what"})
    assert not app.exception
    notices = " ".join(warning.value for warning in app.warning).replace("\\", "")
    for word in ("arms.0.lr", "-3", "0.000001 to 100", "colour", "what"):
        assert word in notices
    assert shown(app).seed == 4
    press_run(app)
    assert not app.warning


def test_differences_of_a_link_are_said_and_can_be_ended(open_page: OpenPage) -> None:
    app = open_page(**{"arms.0.lr": "0.01"})
    captions = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "Learning rate differs, as set by the link: no norm 0.01, batch norm 0.1." in captions
    widget(app, "steps").set_value(70).run()
    press_run(app)
    assert [arm.lr for arm in shown(app).arms] == [0.01, 0.1]
    app.get_by_key("one:arms.*.lr").click().run()
    press_run(app)
    assert [arm.lr for arm in shown(app).arms] == [0.01, 0.01]
    assert widget(app, "arms.*.lr").value == 0.01


def test_values_by_trial_are_said_and_can_be_ended(open_page: OpenPage) -> None:
    app = open_page(**{"arms.1.per_trial.lr": "0.1,0.2,0.4"})
    captions = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "Learning rate differs, as set by the link: no norm 0.1, batch norm 0.1 0.2 0.4." in captions
    assert shown(app).trials == 3
    app.get_by_key("one:arms.*.lr").click().run()
    widget(app, "trials").set_value(5).run()
    assert not app.error
    press_run(app)
    assert (shown(app).trials, shown(app).arms[1].per_trial.lr) == (5, ())


def test_a_full_queue_is_said_and_run_tries_again(open_page: OpenPage, service: RunService) -> None:
    for seed in range(100, 103):
        service.submit(PRESETS["classic"].config.model_copy(update={"seed": seed}))
    app = open_page()
    assert not app.exception
    assert "Try again" in app.error[0].value
    service.stop(PRESETS["classic"].config.model_copy(update={"seed": 102}).run_id)
    press_run(app)
    assert not app.error
    assert service.status(shown(app).run_id).queue_position == 1


def test_presenters_see_no_controls(open_page: OpenPage) -> None:
    app = open_page(hide="controls", preset="high_lr")
    assert shown(app) == PRESETS["high_lr"].config
    assert not app.number_input
    assert not app.pills
    assert app.query_params["hide"] in ("controls", ["controls"])
    press_run(app)
    assert not app.exception


def test_downloads_are_links_to_the_run(open_page: OpenPage) -> None:
    app = unfold(open_page(), "take_home")
    run_id = shown(app).run_id
    for table in ("curves", "layers", "histograms"):
        for kind in ("csv", "parquet"):
            assert f"(api/runs/{run_id}/{table}.{kind})" in words(app)


def test_another_link_in_the_same_session_is_followed(open_page: OpenPage) -> None:
    app = open_page()
    app.query_params["preset"] = "spirals"
    app.run()
    assert shown(app) == PRESETS["spirals"].config


def test_the_headline_says_what_was_changed(open_page: OpenPage) -> None:
    app = open_page(steps="60", **{"arms.1.norm": "rms", "arms.0.lr": "0.2"})
    assert PRESETS["classic"].sentence not in words(app)
    assert escaped("no norm, RMS norm; learning rate by net; steps 60") in words(app)


def test_a_link_cannot_put_markup_on_the_page(open_page: OpenPage) -> None:
    app = open_page(
        **{"arms.0.name": "![x](http://evil.example/x.png)", "arms.0.lr": "0.2", "seed": "[press](http://evil.example)"}
    )
    assert not app.exception
    shown_text = [*(warning.value for warning in app.warning), *(caption.value for caption in app.caption)]
    assert any("evil" in text for text in shown_text)
    assert not any("](" in text or "://" in text for text in shown_text)
