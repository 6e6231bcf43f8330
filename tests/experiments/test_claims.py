"""The claims board: every claim of the sources has a part that tests it, and the board says what was measured and no more."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import pytest

from bnviz.cli.main import main
from bnviz.config.base import SCHEMA_VERSION
from bnviz.experiments.board import claims
from bnviz.experiments.board.claims import ICONS, NOT_MEASURED, OF_THE_SOURCES, Board, Row, Stated
from bnviz.experiments.kit.base import Claim, Finding, Reference, Verdict

SOURCE = Reference("Somebody 2020, A Paper", "https://example.org/paper")
ROW = Row(
    "one", "A claim.", "supported", "2 to 3", "race", "classic", "classic", "A 2020", "https://a.b", 1.5, "2026-01-02T00:00:00"
)


def finding(verdict: Verdict) -> Finding:
    share = verdict.numbers["share"]
    return Finding("supported" if share > 0.5 else "not supported in this setting", f"share {share:g}")


def claim(name: str, part: str = "first", preset: str = "default") -> Stated:
    return Stated("made_up", part, Claim(name, f"Claim {name}.", SOURCE, preset, finding))


@pytest.fixture
def conclusions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What was run, in place of running it: the first part's share is 0.7, the second's 0.2; others fail or say nothing."""
    ran: list[tuple[str, str, str]] = []

    def conclude(*run: str):
        ran.append(run)  # type: ignore[arg-type]
        if run[1] == "broken":
            raise RuntimeError("out of\nmemory")
        if run[1] == "silent":
            return None, None
        return Verdict(None, "A sentence.", {"share": {"first": 0.7, "second": 0.2}[run[1]]} if run[1] != "empty" else {}), None

    monkeypatch.setattr(claims, "conclude", conclude)
    return ran


@pytest.mark.parametrize("name", OF_THE_SOURCES)
def test_every_claim_of_the_sources_is_tested_somewhere(name: str) -> None:
    assert name in {each.claim.id for each in claims.stated()}


def test_claims_have_names_of_their_own() -> None:
    names = [each.claim.id for each in claims.stated()]
    assert len(set(names)) == len(names)


def test_the_board_begins_with_the_claims_of_the_sources() -> None:
    names = [each.claim.id for each in claims.stated()]
    assert [name for name in names if name in OF_THE_SOURCES] == names[: len([n for n in names if n in OF_THE_SOURCES])]


def test_each_run_is_done_once(conclusions) -> None:
    told: list[Row] = []
    board = claims.compute([claim("a"), claim("b"), claim("c", "second"), claim("d", preset="other")], told.append)
    assert conclusions == [
        ("made_up", "first", "default"),
        ("made_up", "second", "default"),
        ("made_up", "first", "other"),
    ]
    assert [row.judgement for row in board.rows] == ["supported", "supported", "not supported in this setting", "supported"]
    assert [row.measured for row in board.rows] == ["share 0.7", "share 0.7", "share 0.2", "share 0.7"]
    assert tuple(told) == board.rows


def test_a_part_that_fails_or_says_nothing_is_not_judged(conclusions) -> None:
    board = claims.compute([claim("a", "broken"), claim("b", "silent"), claim("c")])
    assert [row.judgement for row in board.rows] == [NOT_MEASURED, NOT_MEASURED, "supported"]
    assert board.rows[0].measured == "the run failed: RuntimeError: out of memory"
    assert board.rows[1].measured == "the run came to no verdict"


def test_a_rule_without_its_numbers_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "conclude", lambda *run: (Verdict(None, "Too few steps."), None))
    (row,) = claims.compute([claim("a")]).rows
    assert (row.judgement, row.measured) == (NOT_MEASURED, "Too few steps.")


def test_a_board_survives_its_file(conclusions, tmp_path: Path) -> None:
    board = claims.compute([claim("a"), claim("b", "second")])
    claims.write(board, tmp_path)
    assert claims.read(tmp_path) == board
    raw = json.loads((tmp_path / "board.json").read_text("utf-8"))
    assert raw["schema"] == SCHEMA_VERSION
    assert set(raw["versions"]) == {"torch", "numpy"}


def test_the_tables_hold_every_row() -> None:
    awkward = dataclasses.replace(ROW, id="two", measured='1 | 2, "3"\nand 4', judgement="mixed")
    board = Board("2026-01-02T00:00:00", {"torch": "1"}, 1, (ROW, awkward))
    first, second = csv.DictReader(io.StringIO(claims.as_csv(board)))
    assert first["link"] == "race?part=classic&preset=classic"
    assert second["measured"] == awkward.measured
    lines = [line for line in claims.as_markdown(board).splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert '1 \\| 2, "3" and 4' in lines[3]
    assert "◐ mixed" in lines[3]
    assert claims.summary(board) == "2 claims: 1 supported, 1 mixed"


def test_seconds_of_a_shared_run_count_once() -> None:
    board = Board("", {}, 1, (ROW, dataclasses.replace(ROW, id="two"), dataclasses.replace(ROW, id="three", part="other")))
    assert board.seconds == pytest.approx(3.0)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"computed": "", "versions": {}, "schema": 1, "rows": [{"id": "a"}]}'])
def test_what_is_no_board_is_not_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "board.json").write_text(text)
    assert claims.read(tmp_path) is None
    assert claims.read(tmp_path / "nowhere") is None


def recorded() -> Board:
    """A board of all claims as stated now."""
    rows = tuple(
        dataclasses.replace(ROW, id=s.claim.id, claim=s.claim.text, experiment=s.experiment, part=s.part, preset=s.claim.preset)
        for s in claims.stated()
    )
    return Board("now", claims.versions(), SCHEMA_VERSION, rows)


def test_a_current_board_has_no_changes() -> None:
    assert claims.changes_since(recorded()) == []


def test_changes_since_a_board_are_told() -> None:
    board = recorded()
    first, second, *rest = board.rows
    changed = dataclasses.replace(first, claim="Another claim.")
    old = dataclasses.replace(board, schema=SCHEMA_VERSION - 1, rows=(changed, *rest, ROW))
    told = "; ".join(claims.changes_since(old))
    for words in (f"schema {SCHEMA_VERSION - 1}", f"{first.id} has changed", f"{second.id} is new", "one is no longer claimed"):
        assert words in told


def test_new_rows_replace_old_ones_of_the_same_versions() -> None:
    board = recorded()
    new = dataclasses.replace(board.rows[1], measured="something else")
    both = claims.merged(board, dataclasses.replace(board, rows=(new,)))
    assert both.rows == (board.rows[0], new, *board.rows[2:])
    older = dataclasses.replace(board, versions={"torch": "0"})
    assert claims.merged(older, dataclasses.replace(board, rows=(new,))).rows == (new,)


def test_the_recorded_board_can_be_read() -> None:
    board = claims.read()
    assert board is not None
    assert all(row.judgement in ICONS for row in board.rows)
    assert all(row.source_url.startswith("https://") for row in board.rows)


def test_the_command_refuses_a_claim_that_nobody_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--out", str(tmp_path), "--only", "nothing_such"]) == 2
    said = capsys.readouterr().err
    assert "--only: received nothing_such" in said
    assert "faster_training" in said


def test_the_command_writes_the_board_and_keeps_other_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims.write(recorded(), tmp_path)
    assert main(["claims", "--out", str(tmp_path), "--only", "bias_is_useless"]) == 0
    board = claims.read(tmp_path)
    assert board is not None
    assert len(board.rows) == len(claims.stated())
    rows = {row.id: row for row in board.rows}
    assert rows["bias_is_useless"].measured != ROW.measured == rows["faster_training"].measured
    assert "bias_is_useless: supported" in capsys.readouterr().err


def test_the_command_fails_when_something_was_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(claims, "conclude", lambda *run: (None, None))
    assert main(["claims", "--out", str(tmp_path)]) == 1
