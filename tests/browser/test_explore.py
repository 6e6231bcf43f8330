"""A visitor of the explore page, in a real browser on the real app."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from bnviz.config.presets import PRESETS
from bnviz.config.query import Asked
from bnviz.config.run_links import RUN_LINKS

QUICK = "steps=60&trials=2&arms.0.depth=2&arms.1.depth=2"  # a run of about a second
FINISHED = "state === 'finished'"


def query_of(panel: Any) -> dict[str, str]:
    return panel.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")


def set_number(panel: Any, label: str, value: int) -> None:
    """Type into a number field and leave it."""
    box = panel.page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(str(value))
    box.press("Tab")


def wait_for_query(panel: Any, text: str) -> None:
    panel.page.wait_for_function(f"() => location.search.includes('{text}')", timeout=15_000)


def preset(panel: Any, title: str) -> Any:
    return panel.page.get_by_test_id("stButtonGroup").get_by_text(title, exact=True)


def weights(panel: Any) -> str:
    """The fingerprint of the initial weights that the panel shows."""
    return panel.page.evaluate("document.querySelector('.bnv-panel').textContent.match(/weights ([0-9a-f]+)/)[1]")


def wait_for_other_run(panel: Any, before: str) -> None:
    """Until another run than the one of these weights has finished."""
    panel.wait(f"{FINISHED} && frames > 5 && !root.textContent.includes('{before}')")


def test_on_arrival_the_race_plays_by_itself(app: Any, panel: Any) -> None:
    panel.open(app.url, frames=5)
    panel.wait("state === 'running' || state === 'finished'")
    assert panel.page.get_by_role("heading", name="Batch norm, live").is_visible()
    panel.screenshot("explore-arrival")


def test_run_shows_frames_and_the_verdict(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}")
    panel.wait(FINISHED)
    before = weights(panel)
    set_number(panel, "Seed", 21)
    panel.page.get_by_text("Changed: press Run").wait_for(timeout=15_000)
    wait_for_query(panel, "seed=21")
    panel.page.get_by_role("button", name="Run", exact=False).first.click()
    panel.page.get_by_text("Changed: press Run").wait_for(state="hidden", timeout=15_000)
    wait_for_other_run(panel, before)
    text = panel.page.locator(".bnv-panel").inner_text()
    assert "test accuracy" in text
    asked = RUN_LINKS.from_query(query_of(panel))
    config = asked.config
    assert asked.notices == ()
    assert (config.seed, config.steps, config.trials) == (21, 60, 2)


def test_run_pressed_again_plays_the_finished_run_again(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&seed=41")
    panel.wait(f"{FINISHED} && frame === frames - 1")
    panel.page.get_by_role("button", name="Run", exact=False).first.click()
    panel.wait("frame < frames - 1")
    panel.wait("frame === frames - 1 && frames > 5")


def test_the_key_runs_what_is_in_the_controls(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&seed=30")
    panel.wait(FINISHED)
    before = weights(panel)
    set_number(panel, "Seed", 31)
    panel.page.get_by_text("Changed: press Run").wait_for(timeout=15_000)
    panel.page.keyboard.press("Control+Enter")
    panel.page.get_by_text("Changed: press Run").wait_for(state="hidden", timeout=15_000)
    wait_for_other_run(panel, before)


def test_a_preset_switches_controls_link_and_charts(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}")
    preset(panel, "Two spirals").click()
    wait_for_query(panel, "preset=spirals")
    panel.page.get_by_text(PRESETS["spirals"].what_to_see).wait_for(timeout=15_000)
    panel.page.get_by_text("Decision boundary").first.wait_for(timeout=30_000)
    panel.wait("frames >= 3")
    assert RUN_LINKS.from_query(query_of(panel)) == Asked("spirals", PRESETS["spirals"].config)
    panel.screenshot("explore-spirals")


def test_a_junk_link_opens_with_notices(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&arms.0.lr=-3&colour=%F0%9F%8D%8E&seed=https://example.org&probe_size=%00", frames=3)
    assert panel.page.locator("[data-testid=stAlert] a").count() == 0
    notices = " ".join(panel.page.get_by_test_id("stAlert").all_inner_texts())
    assert "arms.0.lr" in notices
    assert "0.000001 to 100" in notices
    assert "colour" in notices


def test_bad_input_is_said_beside_the_control(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&arms.1.norm=group&seed=8", frames=3)
    set_number(panel, "Units per layer", 30)
    error = panel.page.get_by_test_id("stSidebar").get_by_text("a divisor of the width 30")
    error.wait_for(timeout=15_000)
    panel.page.get_by_text("Cannot run.", exact=True).wait_for(timeout=15_000)
    assert panel.page.get_by_role("spinbutton", name="Seed", exact=True).input_value() == "8"


def test_a_link_opened_elsewhere_is_the_same_run(app: Any, new_panel: Callable[..., Any]) -> None:
    first, second = new_panel(), new_panel()
    first.open(f"{app.url}/?{QUICK}&seed=77")
    first.wait(FINISHED)
    link = first.page.evaluate("location.href")
    second.open(link)
    second.wait(FINISHED)
    assert weights(first) == weights(second)
    assert RUN_LINKS.to_query(RUN_LINKS.from_query(query_of(second)).config)["seed"] == "77"


def test_the_numbers_can_be_downloaded(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}")
    panel.wait(FINISHED)
    panel.page.get_by_text("Download the numbers, share the run").click()
    links = panel.page.get_by_role("link", name="CSV")
    for i in range(3):
        answer = panel.page.request.get(links.nth(i).evaluate("link => link.href"))
        assert answer.ok
        assert answer.text().startswith("arm,trial,step")


def test_an_arms_name_is_text_on_every_chart(app: Any, panel: Any) -> None:
    name = '<a href="https://example.org">x</a> %{x}'
    panel.open(f"{app.url}/?{urlencode({'preset': 'spirals', 'steps': 60, 'trials': 2, 'arms.0.name': name})}")
    panel.wait(f"{FINISHED} && frame === frames - 1")
    panel.page.evaluate("""() => {
      const plot = document.querySelector('[data-chart=loss] .js-plotly-plot');
      const curveNumber = plot.data.findIndex((trace) => trace.hovertemplate);
      window.Plotly.Fx.hover(plot, [{ curveNumber, pointNumber: 3 }]);
    }""")
    panel.page.locator("[data-chart=loss] .hovertext .nums").filter(has_text=name).wait_for()
    assert panel.page.locator("[data-chart=boundary] .annotation-text").all_text_contents()[0] == name
    assert panel.page.locator(".bnv-legend").get_by_text(name, exact=True).count() == 1
    hrefs = "[...root.querySelectorAll('a')].map((link) => link.getAttribute('href') || link.getAttribute('xlink:href'))"
    assert not any("example.org" in (href or "") for href in panel.evaluate(hrefs))


def test_presenter_view_has_no_controls(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&hide=controls", frames=3)
    assert panel.page.get_by_role("spinbutton").count() == 0
    assert preset(panel, "Dying ReLUs").count() == 0
    panel.page.get_by_role("button", name="Run", exact=False).first.wait_for()
    wait_for_query(panel, "hide=controls")


def test_phone(app: Any, new_panel: Callable[..., Any]) -> None:
    panel = new_panel(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    panel.open(f"{app.url}/?{QUICK}", frames=3)
    title = panel.page.get_by_role("heading", name="Batch norm, live")
    header = panel.page.get_by_test_id("stHeader").bounding_box()
    assert title.bounding_box()["y"] >= header["y"] + header["height"] - 8, "the header covers the title"
    assert panel.page.evaluate("document.documentElement.scrollWidth") <= 390
    last = preset(panel, "Raw inputs")
    assert last.evaluate("label => label.scrollWidth <= label.clientWidth"), "the preset's title is cut"
    last.tap()
    wait_for_query(panel, "preset=raw_inputs")
    panel.page.get_by_test_id("stExpandSidebarButton").tap()
    panel.page.get_by_role("spinbutton", name="Seed", exact=True).wait_for(timeout=15_000)
    panel.screenshot("explore-phone-settings")


def test_back_at_once_brings_the_settings_and_the_run_of_before(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&seed=61")
    panel.wait(FINISHED)
    before = weights(panel)
    for seed in (62, 63):
        set_number(panel, "Seed", seed)
        wait_for_query(panel, f"seed={seed}")
    panel.page.get_by_role("button", name="Run", exact=False).first.click()
    wait_for_other_run(panel, before)
    for seed in (62, 61):
        panel.page.go_back()
        wait_for_seed(panel, seed)
    panel.wait(f"{FINISHED} && frames > 5 && root.textContent.includes('{before}')")
    assert query_of(panel)["seed"] == "61"
    panel.page.go_forward()
    wait_for_seed(panel, 62)
    assert query_of(panel)["seed"] == "62"


def wait_for_seed(panel: Any, seed: int) -> None:
    field = panel.page.get_by_role("spinbutton", name="Seed", exact=True)
    panel.page.wait_for_function(
        "([field, value]) => field.value === value", arg=[field.element_handle(), str(seed)], timeout=15_000
    )


def test_back_to_where_the_visit_began(app: Any, panel: Any) -> None:
    """The address of the default race is empty."""
    panel.open(app.url, frames=3)
    set_number(panel, "Seed", 64)
    wait_for_query(panel, "seed=64")
    panel.page.go_back()
    wait_for_seed(panel, 0)
    assert query_of(panel) == {}


def test_quick_changes_lose_nothing(app: Any, panel: Any) -> None:
    panel.open(f"{app.url}/?{QUICK}&seed=65")
    set_number(panel, "Seed", 66)
    set_number(panel, "Batch size", 33)
    set_number(panel, "Seed", 67)
    set_number(panel, "Trials", 3)
    wait_for_query(panel, "trials=3")
    panel.page.wait_for_function(
        "() => ['seed=67', 'batch_size=33', 'trials=3'].every((part) => location.search.includes(part))", timeout=15_000
    )
    fields = {"Seed": "67", "Batch size": "33", "Trials": "3"}
    assert {name: panel.page.get_by_role("spinbutton", name=name, exact=True).input_value() for name in fields} == fields
