"""The page of the claims board."""

import dataclasses
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bnviz.experiments.board import claims
from bnviz.experiments.board.claims import Board, Row
from bnviz.ui import claims_page

JUDGEMENTS = list(claims.ICONS)
ROWS = tuple(
    Row(f"row_{i}", f"Claim {i}.", judgement, f"measured {i}", "race", "classic", "classic", "A 2020", "https://a.b", 1.0, "now")
    for i, judgement in enumerate(JUDGEMENTS)
)
BOARD = Board("2026-01-02T03:04:05+00:00", {"torch": "9.8.7"}, 1, ROWS)


def page() -> None:
    from bnviz.ui import claims_page

    claims_page.draw({})


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """The page of a board."""

    def show(board: Board | None, changes: tuple[str, ...] = ()) -> AppTest:
        monkeypatch.setattr(claims_page, "read", lambda: board)
        monkeypatch.setattr(claims_page, "changes_since", lambda _: list(changes))
        app = AppTest.from_function(page, default_timeout=30).run()
        assert not app.exception
        return app

    return show


def text(app: AppTest) -> str:
    return "\n".join(element.value.replace("\\", "") for kind in (app.markdown, app.caption) for element in kind)


def test_every_verdict_is_said_in_words(show) -> None:
    said = text(show(BOARD))
    for row in ROWS:
        assert row.judgement in said
        assert row.claim in said
        assert row.measured in said
    assert len({claims_page.WORDS[judgement] for judgement in JUDGEMENTS}) == len(JUDGEMENTS)


def test_it_says_when_and_with_what_it_was_computed(show) -> None:
    said = text(show(BOARD))
    assert "2026-01-02T03:04:05" in said
    assert "torch 9.8.7" in said
    assert "bnviz claims" in said


def test_a_current_board_is_not_called_old(show) -> None:
    assert not show(BOARD).warning


def test_changes_since_are_said_and_cut(show) -> None:
    (warning,) = show(BOARD, tuple(f"change_{i}" for i in range(8))).warning
    said = warning.value.replace("\\", "")
    assert "change_0" in said
    assert "change_7" not in said
    assert "and 3 more" in said


def test_without_a_board_the_command_is_named(show) -> None:
    (warning,) = show(None).warning
    assert "bnviz claims" in warning.value


def test_marks_in_what_was_measured_stay_text(show) -> None:
    row = dataclasses.replace(ROWS[0], measured="[a](https://evil.example) $x$ :red[b]")
    app = show(dataclasses.replace(BOARD, rows=(row,)))
    assert any(r"\[a\]\(" in element.value for element in app.markdown)
