"""Every page of an experiment as a visitor uses it: predict, run, see frames, the verdict and what it says of the prediction."""

from typing import Any

import pytest

from bnviz.experiments.board.catalog import catalog
from bnviz.experiments.kit.base import Experiment, Part
from bnviz.experiments.kit.links import links

QUICK = {"steps": 40, "seeds": 2, "trials": 2}  # where a part has such a setting
ENDED = "['finished', 'stopped', 'failed'].includes(state)"
PATIENCE_SECONDS = 150
# Streamlit asks for these below the page's own address first, and the browser logs the 404
STREAMLITS_OWN = ("/_stcore/health", "/_stcore/host-config")


def quick_query(experiment: Experiment, part: Part) -> dict[str, str]:
    """The query of a part: its default for the first of a page, a shorter run for the others."""
    settings = part.presets[0].settings
    if part != experiment.parts[0]:
        settings = part.settings.model_validate(settings.model_dump() | shorter(part))
    return {"part": part.id} | links(part).to_query(settings, part.presets[0].name)


def shorter(part: Part) -> dict[str, int]:
    """The settings of `QUICK` that the part has, no lower than it allows."""
    fields = part.settings.model_fields
    lowest = {
        name: next((bound.ge for bound in fields[name].metadata if hasattr(bound, "ge")), 0) for name in QUICK if name in fields
    }
    return {name: max(QUICK[name], least) for name, least in lowest.items()}


def open_page(app: Any, panel: Any, address: str) -> None:
    panel.allowed = STREAMLITS_OWN
    panel.page.goto(f"{app.url}/{address}")
    panel.page.locator(".st-key-run button").wait_for(timeout=60_000)


def predict(panel: Any, text: str) -> None:
    panel.page.locator(".st-key-prediction_row").get_by_role("radio", name=text, exact=True).click()
    panel.page.locator(".st-key-run button:not([disabled])").wait_for(timeout=30_000)


def wait_for_text(panel: Any, selector: str, text: str = "") -> None:
    """Until an element says something, or this."""
    said = f"document.querySelector('{selector}')?.innerText.trim()"
    script = f"() => {said} && {said}.includes('{text}')"
    panel.page.wait_for_function(script, timeout=60_000)


def predict_run_and_read(app: Any, panel: Any, experiment: Experiment, part: Part) -> None:
    """What a visitor does on the page of a part."""
    query = "&".join(f"{key}={value}" for key, value in quick_query(experiment, part).items())
    open_page(app, panel, f"{experiment.id}?{query}")
    panel.page.get_by_text(part.question, exact=True).wait_for(timeout=30_000)
    assert panel.page.locator(".st-key-run button").is_disabled()  # a prediction comes first
    predict(panel, part.choices[0].text)
    panel.page.locator(".st-key-run button").click()
    panel.wait(ENDED, PATIENCE_SECONDS)
    assert panel.data("state") == "finished"
    panel.wait("frames > 0 && draws > 0")
    wait_for_text(panel, ".bnv-verdict")
    wait_for_text(panel, ".bnv-prediction", "The data")


@pytest.mark.parametrize("experiment", catalog().values(), ids=lambda each: each.id)
def test_a_visitor_predicts_runs_and_is_answered(app: Any, panel: Any, experiment: Experiment) -> None:
    for part in experiment.parts:
        predict_run_and_read(app, panel, experiment, part)
        panel.screenshot(f"{experiment.id}-{part.id}")


def test_the_caveat_takes_the_visitor_there(app: Any, panel: Any) -> None:
    open_page(app, panel, "race")
    panel.page.get_by_role("button", name="See it").click()
    panel.page.wait_for_function("() => location.search.includes('part=small_lr')", timeout=15_000)
    panel.page.get_by_text("Both nets must use the same small learning rate").wait_for(timeout=15_000)


def test_back_undoes_a_setting_and_quick_changes_lose_nothing(app: Any, panel: Any) -> None:
    open_page(app, panel, "race?steps=100")
    steps, seed = (panel.page.get_by_role("spinbutton", name=name, exact=True) for name in ("Steps", "First seed"))

    def wait_for(*parts: str) -> None:
        script = f"() => {list(parts)}.every((part) => location.search.includes(part))"
        panel.page.wait_for_function(script, timeout=15_000)

    for value in ("120", "140"):
        for field in (steps, seed):
            field.fill(value)
            field.press("Tab")
        wait_for(f"steps={value}", f"seed={value}")
        assert (steps.input_value(), seed.input_value()) == (value, value)
    seed.fill("7")
    seed.press("Tab")
    wait_for("seed=7")
    panel.page.go_back()
    panel.page.wait_for_function("(field) => field.value === '140'", arg=seed.element_handle(), timeout=15_000)
    assert steps.input_value() == "140"


def test_a_row_of_the_claims_board_opens_its_experiment(app: Any, panel: Any) -> None:
    panel.allowed = STREAMLITS_OWN
    panel.page.goto(f"{app.url}/claims")
    row = panel.page.locator(".st-key-claim_faster_training")
    row.get_by_text("supported").first.wait_for(timeout=60_000)
    row.get_by_role("link", name="The race").click()
    panel.page.wait_for_function("() => location.pathname.endsWith('/race')", timeout=15_000)
    panel.page.get_by_text("Twins differ in batch norm alone").wait_for(timeout=15_000)
    panel.screenshot("claims-to-race")
