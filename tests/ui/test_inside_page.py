"""Inside one batch: the steps' numbers, the drawings, the tables that are edited, and the page run whole."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnviz.closed_forms.arithmetic import Forward, backward, forward
from bnviz.experiments.parts.inside import EXPERIMENT
from bnviz.experiments.parts.inside.batch_settings import ArithmeticSettings
from bnviz.ui.bodies import inside_edit
from bnviz.ui.bodies.inside_drawings import NORM_AXES, cube, lines, lines_in_words, numbers_of, together
from bnviz.ui.bodies.inside_edit import Refused, edited
from bnviz.ui.bodies.inside_steps import steps, tex

PART = EXPERIMENT.part("arithmetic")
X, DY = np.array([[1.0, -2.0], [3.0, 5.0], [5.0, 0.5], [7.0, 4.0]]), np.array([[1, 0.5], [0, -0.5], [2, 1], [-1, 0.25]])


def passes() -> tuple[Forward, Any]:
    done = forward(X, [2.0, -1.5], [1.0, -3.0], 0.25)
    return done, backward(done, DY)


def evaluated(text: str) -> float:
    """The number that a formula of digits, fractions, roots and products comes to."""
    argument = r"\{([^{}]*)\}"
    text = re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", text).replace(r"\cdot", "*")
    before = ""
    while before != text:
        before = text
        text = re.sub(rf"\\sqrt{argument}", r"math.sqrt(\1)", text)
        text = re.sub(rf"\\frac{argument}{argument}", r"((\1)/(\2))", text)
    assert re.fullmatch(r"[\d\s.e+*/()^mathsqrt-]+", text), text
    return eval(text.replace("^", "**"), {"math": math})


@pytest.mark.parametrize("sample", range(4))
@pytest.mark.parametrize("feature", range(2))
def test_what_is_put_into_each_formula_comes_to_its_result(sample: int, feature: int) -> None:
    done, back = passes()
    for step in steps(done, back, sample, feature):
        *_, worked, result = step.filled.split(" = ")
        expected = step.values[sample if len(step.values) > 1 else 0]
        expected = expected[feature]
        assert evaluated(worked) == pytest.approx(expected, rel=2e-3, abs=5e-3), step.title
        assert evaluated(result) == pytest.approx(expected, rel=1e-3, abs=1e-12), step.title


def test_the_steps_are_the_arithmetic_from_the_mean_to_the_gradient_of_x() -> None:
    done, back = passes()
    found = {step.symbol: step for step in steps(done, back)}
    np.testing.assert_array_equal(found["μ"].values, X.mean(0, keepdims=True))
    np.testing.assert_allclose(found["σ²"].values, X.var(0, keepdims=True))
    np.testing.assert_array_equal(found["y"].values, done.y)
    np.testing.assert_array_equal(found["∂L/∂x"].values, back.dx)
    np.testing.assert_allclose(found["∂L/∂b"].values, 0, atol=1e-15)
    parts = found["through the mean"].values + found["through the variance"].values
    np.testing.assert_allclose(found["∂L/∂x-hat"].values - parts, back.dx * done.std, atol=1e-15)
    assert found["σ²"].row_names == ["all samples"]
    assert found["y"].row_names[3] == "sample 4"


def test_rounding_errors_are_shown_as_small_as_they_are() -> None:
    assert tex(2.22e-16) == r"2.22 \times 10^{-16}"
    assert tex(-1.5) == "-1.5"


def test_a_cube_marks_what_one_statistic_is_over() -> None:
    for words in NORM_AXES:
        statistics, count = numbers_of(words.norm)
        assert together(words.norm).sum() == count
        assert statistics * count == together(words.norm).size
    marked = {words.norm: together(words.norm) for words in NORM_AXES}
    assert marked["batch"][:, -1].all()
    assert not marked["batch"][:, :-1].any()
    assert marked["layer"][0].all()
    assert not marked["layer"][1:].any()
    assert (marked["instance"] == (marked["layer"] & marked["batch"])).all()
    assert marked["group"][0, -3:].all()
    assert not marked["group"][0, :-3].any()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_drawings_are_svg_and_show_every_number(theme: str) -> None:
    done, _ = passes()
    for words in NORM_AXES:
        ET.fromstring(cube(words.norm, theme))
    drawn = ET.fromstring(lines(done, 1, theme))
    assert len([element for element in drawn.iter() if element.tag.endswith("circle")]) == 3 * len(X)
    assert "x: -2, 5, 0.5, 4;" in lines_in_words(done, 1)


@pytest.mark.parametrize("x", [[[3.0]], [[5.0], [5.0], [5.0]], [[1e3], [-1e3]]])
def test_the_lines_can_be_drawn_of_any_batch(x: list[list[float]]) -> None:
    drawn = lines(forward(x), 0)
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_dots_in_one_place_share_a_label() -> None:
    assert ">1,2,3<" in lines(forward([[5.0], [5.0], [5.0]]), 0)


# --- the tables


NAMES = ["sample 1", "sample 2"]


def test_edits_as_the_browser_reports_them() -> None:
    rows = edited([[1.0, 2.0], [3.0, 4.0]], {0: {"feature 2": 7}, "1": {"feature 1": -0.5}}, NAMES)
    assert rows == ((1.0, 7.0), (-0.5, 4.0))


@pytest.mark.parametrize("value", [None, 1000.5, float("nan"), float("inf"), "12", True])
def test_a_cell_that_is_no_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(Refused, match=r"sample 2, feature 1: received .*; allowed: a number from -1000 to 1000"):
        edited([[1.0], [3.0]], {1: {"feature 1": value}}, NAMES)


@pytest.mark.parametrize("edits", [{5: {"feature 1": 1.0}}, {0: {"feature 4": 1.0}}, {0: {"_index": 1.0}}])
def test_an_edit_of_no_cell_is_refused(edits: Any) -> None:
    with pytest.raises(Refused, match="no such cell"):
        edited([[1.0]], edits, NAMES)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session in which the tables were drawn."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(inside_edit.st, "session_state", state)
    inside_edit._synchronized(ArithmeticSettings())
    for name in ("batch", "upstream", "affine"):
        state[inside_edit._editor_key(name)] = {"edited_rows": {}}
    return state


def edit(session: dict[str, Any], name: str, row: int, column: str, value: object) -> None:
    session[inside_edit._editor_key(name)]["edited_rows"].setdefault(row, {})[column] = value
    inside_edit._take(PART, ArithmeticSettings(), name)


def test_an_edit_reaches_the_setting_and_keeps_the_table(session: dict[str, Any]) -> None:
    key = inside_edit._editor_key("batch")
    edit(session, "batch", 1, "feature 1", 9)
    assert session["knob:inside.arithmetic:batch"] == "1,10;9,20;5,20;7,50"
    inside_edit._synchronized(ArithmeticSettings(batch="1,10;9,20;5,20;7,50"))
    assert inside_edit._editor_key("batch") == key


def test_an_edit_of_gamma_gives_each_feature_its_own(session: dict[str, Any]) -> None:
    edit(session, "affine", 0, "feature 2", 3.5)
    assert session["knob:inside.arithmetic:gamma"] == "2,3.5"
    assert session["knob:inside.arithmetic:beta"] == "1"


def test_a_bad_edit_is_said_and_the_setting_stays(session: dict[str, Any]) -> None:
    edit(session, "batch", 1, "feature 1", None)
    assert "sample 2, feature 1: received nothing" in session[inside_edit.MEMORY]["errors"]["batch"]
    assert "knob:inside.arithmetic:batch" not in session
    edit(session, "batch", 1, "feature 1", 4)
    assert session[inside_edit.MEMORY]["errors"] == {}
    assert session["knob:inside.arithmetic:batch"] == "1,10;4,20;5,20;7,50"


def test_an_edit_that_other_settings_forbid_is_said_too(session: dict[str, Any]) -> None:
    settings = ArithmeticSettings(eps=0)
    edits = {i: {"feature 1": 3.0} for i in range(4)}
    session[inside_edit._editor_key("batch")]["edited_rows"] = edits
    inside_edit._take(PART, settings, "batch")
    assert "variance 0" in session[inside_edit.MEMORY]["errors"]["batch"]


def test_other_settings_make_another_table(session: dict[str, Any]) -> None:
    key = inside_edit._editor_key("batch")
    inside_edit._synchronized(ArithmeticSettings(batch="1,2;3,4;5,6;7,8"))
    assert inside_edit._editor_key("batch") != key


# --- the page


def page() -> None:
    from bnviz.ui import experiment_page

    experiment_page.draw("inside")


@pytest.fixture
def open_inside(service: Any) -> Callable[..., AppTest]:
    def open_page(**query: str) -> AppTest:
        app = AppTest.from_function(page, default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception
        return app

    return open_page


def headings(app: AppTest) -> list[str]:
    return [found.group(1) for element in app.markdown if (found := re.match(r"\*\*(\d+\. [^*]+)\.\*\*", element.value))]


def test_next_and_back_go_through_the_steps(open_inside: Callable[..., AppTest]) -> None:
    app = open_inside()
    assert headings(app) == ["1. Mean"]
    app.button(key="inside:next").click().run()
    app.button(key="inside:next").click().run()
    assert headings(app) == ["3. Variance"]
    app.button(key="inside:back").click().run()
    assert headings(app) == ["2. Deviation"]
    assert app.button(key="inside:back").proto.shortcut
    assert any(r"x_1 - \mu = 1 - 4 = -3" in element.value for element in app.latex)


def test_all_steps_can_be_shown_at_once(open_inside: Callable[..., AppTest]) -> None:
    app = open_inside()
    app.toggle(key="inside:all").set_value(True).run()
    assert len(headings(app)) == 12
    assert app.button(key="inside:next").disabled


def test_another_sample_and_feature_are_put_into_the_formulas(open_inside: Callable[..., AppTest]) -> None:
    app = open_inside()
    app.button_group(key="inside:sample").set_value(3).run()
    app.button_group(key="inside:feature").set_value(1).run()
    app.button(key="inside:next").click().run()
    assert any(r"x_4 - \mu = 50 - 25 = 25" in element.value for element in app.latex)


def test_a_link_opens_its_batch(open_inside: Callable[..., AppTest]) -> None:
    app = open_inside(batch="2;4;9", upstream="1;0;0")
    assert any(r"\mu = \frac{2 + 4 + 9}{3} = 5" in element.value for element in app.latex)


def test_samples_and_features_come_and_go(open_inside: Callable[..., AppTest]) -> None:
    app = open_inside()

    def press(label: str) -> None:
        next(button for button in app.button if button.label == label).click().run()
        assert not app.exception

    press("Add a sample")
    assert app.text_input(key="knob:inside.arithmetic:batch").value == "1,10;3,20;5,20;7,50;2,4"
    press("Remove the last feature")
    assert app.text_input(key="knob:inside.arithmetic:upstream").value == "1;0;0;0;0"
    for _ in range(4):
        press("Remove the last sample")
    assert app.text_input(key="knob:inside.arithmetic:batch").value == "1"
    assert next(button for button in app.button if button.label == "Remove the last sample").disabled
    assert app.query_params["batch"] in ("1", ["1"])


def test_a_setting_that_cannot_be_used_is_said_and_loses_nothing(open_inside: Callable[..., AppTest]) -> None:
    app = open_inside(batch="2;4;9", upstream="1;0;0")
    app.text_input(key="knob:inside.arithmetic:batch").set_value("2;4;nine").run()
    assert not app.exception
    assert any("nine is none" in error.value for error in app.error)
    app.text_input(key="knob:inside.arithmetic:batch").set_value("2;4;9").run()
    assert not app.error
    assert headings(app) == ["1. Mean"]


def test_inference_is_shown_beside_training(open_inside: Callable[..., AppTest]) -> None:
    """With running mean 3.5 and variance 4: a = 2/2, c = 1 - 3.5, so sample 1 gives -1.5."""
    app = open_inside()
    table = next(element.value for element in app.table if "a" in element.value.index)
    assert table["feature 1"][["a", "c", "sample 1, y at inference"]].tolist() == ["1", "-2.5", "-1.5"]
    moved = next(element.value for element in app.table if "running mean, after" in element.value.index)
    assert moved["feature 1"].tolist() == ["3.5", "3.55", "4", "4.267"]


@pytest.mark.parametrize("preset", [preset.name for preset in PART.presets])
def test_every_preset_opens(open_inside: Callable[..., AppTest], preset: str) -> None:
    app = open_inside(preset=preset)
    app.toggle(key="inside:all").set_value(True).run()
    assert not app.exception
    assert len(headings(app)) == 12
