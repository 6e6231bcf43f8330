"""plotly.js does not come, or cannot draw: said in words, and the rest of the panel goes on."""

from collections.abc import Callable
from typing import Any

import pytest

QUICK = "/?steps=60&trials=2&measure_every=1&arms.0.depth=2&arms.1.depth=2&seed=301"


class Gate:
    """Answers requests for plotly.js: not at all, with a page, or with the file."""

    def __init__(self, page: Any) -> None:
        self.asked, self.answer = 0, "nothing"
        page.route("**/plotly.min.js", self._take)

    def _take(self, route: Any) -> None:
        self.asked += 1
        if self.answer == "nothing":
            route.abort()
        elif self.answer == "a page":
            route.fulfill(body="<html>Sign in to this network</html>", content_type="text/html")
        else:
            route.continue_()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("answer", ["nothing", "a page"])
def test_charts_that_cannot_be_loaded_are_said_and_can_be_asked_for_again(
    app: Any, new_panel: Callable[..., Any], answer: str, scheme: str
) -> None:
    panel = new_panel(color_scheme=scheme)
    panel.allowed = ("ERR_FAILED", "Unexpected token")
    gate = Gate(panel.page)
    gate.answer = answer
    panel.page.goto(app.url + QUICK)
    said = panel.page.get_by_text("The charts could not be loaded")
    said.wait_for(timeout=30_000)
    panel.wait("state === 'finished' && frame === frames - 1")
    assert "test accuracy" in panel.page.locator(".bnv-verdict").inner_text()
    assert "Finished" in panel.page.locator(".bnv-status").inner_text()
    panel.screenshot(f"no-charts-{scheme}")

    before = gate.asked
    again = panel.page.get_by_role("button", name="Try again")
    with panel.page.expect_request("**/plotly.min.js"):
        again.click()
    said.wait_for()  # in vain
    assert gate.asked == before + 1

    gate.answer = "the file"
    again.click()
    panel.wait("[...root.querySelectorAll('.bnv-card')].some((card) => card.dataset.draws > 0) && draws > 0")
    assert panel.evaluate("root.querySelectorAll('[data-chart=loss] .js-line').length") >= 2
    assert not said.is_visible()
