"""The batch of a visitor's own, edited and stepped through with mouse and keyboard."""

import re
from typing import Any

import pytest

FIRST_CELL = {"x": 180, "y": 52}  # of the table: sample 1, feature 1


FIELD = "document.querySelector('#portal :is(input, textarea)')"


@pytest.fixture
def page(app: Any, panel: Any) -> Any:
    """The page of one batch; Streamlit first asks for its own files below the page's address."""
    panel.allowed = ("/inside/_stcore/",)
    panel.page.goto(f"{app.url}/inside")
    panel.page.get_by_text("Step 1 of 12").wait_for(timeout=30_000)
    panel.page.get_by_test_id("data-grid-canvas").first.wait_for(timeout=30_000)
    return panel.page


def type_cell(page: Any, text: str) -> None:
    """Type into the cell that is chosen; Enter goes to the one below. The field over the cell comes and goes in its own time."""
    page.keyboard.type(text)
    page.wait_for_function(FIELD + f"?.value === '{text}'", timeout=15_000)
    page.keyboard.press("Enter")
    page.wait_for_function(f"!{FIELD}", timeout=15_000)


def test_edited_numbers_reach_the_formulas_and_the_link_and_bad_ones_are_said(page: Any) -> None:
    page.get_by_test_id("stDataFrame").first.click(position=FIRST_CELL)
    type_cell(page, "9")
    page.wait_for_function("() => location.search.includes('batch=9')", timeout=15_000)
    page.locator(".katex-mathml", has_text="9+3+5+7").first.wait_for(state="attached", timeout=15_000)
    type_cell(page, "5000")  # still in the table, one row below: the edit did not draw it anew
    page.get_by_text("sample 2, feature 1: received 5000").wait_for(timeout=15_000)
    assert "5000" not in page.url
    type_cell(page, "4")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    type_cell(page, "8")
    page.get_by_text("received 5000").wait_for(state="hidden", timeout=15_000)
    page.wait_for_function("() => decodeURIComponent(location.search).includes('batch=9,10;8,20;4,20;7,50')", timeout=15_000)


def step(page: Any) -> int:
    return int(page.get_by_text(re.compile(r"^Step \d+ of 12")).inner_text().split()[1])


def press(page: Any, key: str, expected: int) -> None:
    page.keyboard.press(key)
    page.get_by_text(f"Step {expected} of 12").wait_for(timeout=15_000)


def test_the_keyboard_goes_through_the_steps(page: Any) -> None:
    for _ in range(40):  # Streamlit loads what listens to keys after it has drawn the page
        page.keyboard.press("n")
        page.wait_for_timeout(500)
        if step(page) > 1:
            break
    page.wait_for_timeout(500)
    first = step(page)
    press(page, "n", first + 1)
    press(page, "n", first + 2)
    press(page, "b", first + 1)


def test_every_norm_is_drawn_and_told(page: Any) -> None:
    page.get_by_role("tab", name="Which axes").click()
    for norm, count in (("Batch", 16), ("Layer", 24), ("Group", 12), ("Instance", 4), ("RMS", 24)):
        picture = page.locator(f'img[alt^="{norm} norm: one mean"]')
        picture.wait_for(timeout=15_000)
        assert picture.evaluate("image => image.naturalWidth") > 100
        assert f"of {count} numbers each" in picture.get_attribute("alt")
