"""The explore page and its address: which of them counts when they differ."""

from collections.abc import Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.ui.explore import OpenPage, link_of, press_run, shown, unfold, widget


def test_a_late_echo_of_the_url_undoes_no_change(open_page: OpenPage) -> None:
    """Quick changes: the browser sends the URL of the first one with the second."""
    app = open_page()
    widget(app, "seed").set_value(1).run()
    late = dict(app.query_params)
    widget(app, "seed").set_value(2).run()
    app.query_params.clear()
    app.query_params.update(late)
    widget(app, "steps").set_value(90).run()
    assert (widget(app, "seed").value, widget(app, "steps").value) == (2, 90)
    assert (link_of(app).seed, link_of(app).steps) == (2, 90)


def at_address(app: AppTest, query: Mapping[str, Any]) -> AppTest:
    """As a browser whose address says this."""
    query = dict(query)
    app.query_params.clear()
    app.query_params.update(query)
    return app


def test_going_back_and_forward_at_once_is_followed(open_page: OpenPage) -> None:
    app = open_page()
    addresses = [dict(app.query_params)]
    for seed in (1, 2):
        widget(app, "seed").set_value(seed).run()
        addresses.append(dict(app.query_params))
    assert addresses[0] == {}
    for seed in (1, 0, 1, 2):
        at_address(app, addresses[seed]).run()
        assert (widget(app, "seed").value, shown(app).seed) == (seed, seed)
        assert dict(app.query_params) == addresses[seed]


def test_back_pressed_twice_may_bring_the_controls_of_before(open_page: OpenPage) -> None:
    """The browser sends the second press before it has drawn what the first one loaded."""
    app = open_page()
    addresses = [dict(app.query_params)]
    for seed in (1, 2):
        widget(app, "seed").set_value(seed).run()
        addresses.append(dict(app.query_params))
    at_address(app, addresses[1]).run()
    widget(app, "seed").set_value(2)
    at_address(app, addresses[0]).run()
    assert (widget(app, "seed").value, shown(app).seed) == (0, 0)


def test_opening_a_box_with_a_late_address_undoes_no_change(open_page: OpenPage) -> None:
    app = open_page(seed="1")
    late = dict(app.query_params)
    widget(app, "seed").set_value(2).run()
    app.session_state["advanced"] = True
    at_address(app, late).run()
    assert (widget(app, "seed").value, link_of(app).seed) == (2, 2)


def test_a_button_pressed_with_a_late_address_is_a_change(open_page: OpenPage) -> None:
    app = open_page(**{"arms.0.lr": "0.01"})
    late = dict(app.query_params)
    widget(app, "seed").set_value(2).run()
    app.get_by_key("one:arms.*.lr").click()
    at_address(app, late).run()
    assert link_of(app).seed == 2
    assert [arm.lr for arm in link_of(app).arms] == [0.01, 0.01]


def test_going_back_leads_away_from_what_cannot_run(open_page: OpenPage) -> None:
    app = open_page()
    widget(app, "seed").set_value(1).run()
    app.get_by_key("control:arms.*.norm").set_value([]).run()
    assert app.error
    at_address(app, {}).run()
    assert not app.error
    assert (widget(app, "seed").value, widget(app, "arms.*.norm").value) == (0, ["none", "batch"])


def test_coming_back_from_another_page_finds_all_as_it_was(open_page: OpenPage) -> None:
    app = open_page()
    widget(app, "seed").set_value(2).run()
    app.session_state["page"] = "race"
    at_address(app, {}).run()
    assert (widget(app, "seed").value, link_of(app).seed) == (2, 2)
    app.session_state["page"] = "race"
    at_address(app, {"seed": "3"}).run()
    assert (widget(app, "seed").value, shown(app).seed) == (3, 3)


def test_folded_controls_keep_their_values(open_page: OpenPage) -> None:
    app = unfold(open_page(), "advanced")
    widget(app, "arms.*.dropout").set_value(0.25).run()
    app.session_state["advanced"] = False
    app.run()
    assert not [box for box in app.number_input if box.key == "control:arms.*.dropout"]
    widget(app, "seed").set_value(3).run()
    press_run(app)
    assert {arm.dropout for arm in shown(app).arms} == {0.25}
    assert link_of(app).arms[0].dropout == 0.25
    assert widget(unfold(app, "advanced"), "arms.*.dropout").value == 0.25
