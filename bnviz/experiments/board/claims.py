"""The claims board: what the sources claim of batch norm, and what this build measures on recorded default runs.

    catalog -> stated() -> compute() -> Board -> write() -> board.json, board.csv, board.md -> read()

Parts state their claims and how to judge a verdict; here each (part, preset) that claims name is run once, headless.
A board is plain text: it is read without torch and without the code that made it.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

from bnviz.config.base import SCHEMA_VERSION
from bnviz.experiments.board.catalog import catalog
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import NOT_MEASURED, Claim, Finding, Verdict

RECORDED = Path(__file__).parents[3] / "assets" / "claims"  # of this build
FILES = ("board.json", "board.csv", "board.md")
ICONS = {"supported": "✔", "mixed": "◐", "not supported in this setting": "✘", NOT_MEASURED: "–"}
# What the sources say of batch norm, in the order of the board; what else parts claim follows in their order.
OF_THE_SOURCES = (
    "covariate_shift",
    "cures_gradients",
    "faster_training",
    "higher_rates",
    "no_dying_relu",
    "dropout_unneeded",
    "insensitive_to_init",
    "no_saturation",
    "smooth_landscape",
    "explodes_gradients",
    "length_direction",
    "no_rnn",
    "norm_before",
    "norm_after",
    "unscaled_inputs",
)
Progress = Callable[["Row"], object]


@dataclass(frozen=True)
class Stated:
    """A claim and the part that tests it."""

    experiment: str
    part: str
    claim: Claim

    @property
    def run(self) -> tuple[str, str, str]:
        """(experiment, part, preset): what is run for it."""
        return self.experiment, self.part, self.claim.preset


@dataclass(frozen=True)
class Row:
    """One line of the board."""

    id: str
    claim: str
    judgement: str
    measured: str
    experiment: str
    part: str
    preset: str
    source: str
    source_url: str
    seconds: float  # that its run took; claims of one run share them
    computed: str  # when, ISO 8601, UTC

    @property
    def query(self) -> dict[str, str]:
        """Of the link that opens the experiment in this state."""
        return {"part": self.part, "preset": self.preset}

    @property
    def link(self) -> str:
        """Relative to the app's address."""
        return f"{self.experiment}?{urlencode(self.query)}"


@dataclass(frozen=True)
class Board:
    """All rows, and what they were computed with."""

    computed: str  # the newest row's
    versions: dict[str, str]
    schema: int
    rows: tuple[Row, ...]

    @property
    def seconds(self) -> float:
        """What all runs took, each counted once."""
        return sum({(row.experiment, row.part, row.preset): row.seconds for row in self.rows}.values())


def stated() -> tuple[Stated, ...]:
    """Every claim of every part, in the order of the board."""
    found = [Stated(each.id, part.id, claim) for each in catalog().values() for part in each.parts for claim in part.claims]
    place = {name: index for index, name in enumerate(OF_THE_SOURCES)}
    return tuple(sorted(found, key=lambda each: place.get(each.claim.id, len(place))))


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {name: version(name) for name in ("torch", "numpy")}


def compute(claims: Iterable[Stated], progress: Progress = lambda _: None) -> Board:
    """Run what the claims need, each part in each preset once, and judge. Loads torch.

    Args:
        claims: of `stated`.
        progress: called with each row.

    A part that fails or says nothing gives rows that are `NOT_MEASURED` and say why.
    """
    verdicts: dict[tuple[str, str, str], tuple[Verdict | None, str, float]] = {}
    rows: list[Row] = []
    for each in claims:
        if each.run not in verdicts:
            verdicts[each.run] = _run(each)
        verdict, reason, seconds = verdicts[each.run]
        rows.append(_row(each, verdict, reason, seconds))
        progress(rows[-1])
    return _board(rows)


def _run(each: Stated) -> tuple[Verdict | None, str, float]:
    """The verdict of a run, or why there is none, and the seconds that it took."""
    begin = time.perf_counter()
    try:
        verdict, _ = conclude(*each.run)
        reason = "the run came to no verdict"
    except Exception as error:  # one broken part must not cost the others their rows
        verdict, reason = None, f"the run failed: {type(error).__name__}: {error}"
    return verdict, " ".join(reason.split()), round(time.perf_counter() - begin, 1)


def _row(each: Stated, verdict: Verdict | None, reason: str, seconds: float) -> Row:
    claim, source = each.claim, each.claim.source
    found = claim.judge(verdict) if verdict is not None else Finding(NOT_MEASURED, reason)
    return Row(claim.id, claim.text, found.judgement, found.measured, *each.run, source.text, source.url, seconds, _now())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _board(rows: Sequence[Row]) -> Board:
    return Board(max((row.computed for row in rows), default=""), versions(), SCHEMA_VERSION, tuple(rows))


def merged(old: Board | None, new: Board) -> Board:
    """The new rows, and the old board's others if it was computed with the same versions; in the order of the board."""
    if old is None or (old.versions, old.schema) != (new.versions, new.schema):
        return new
    rows = {row.id: row for row in old.rows} | {row.id: row for row in new.rows}
    order = [each.claim.id for each in stated()]
    return _board([rows[id] for id in order if id in rows])


def changes_since(board: Board) -> list[str]:
    """What makes a recorded board differ from what this code would compute; empty when nothing does."""
    found: list[str] = []
    if board.schema != SCHEMA_VERSION:
        found.append(f"it was computed with schema {board.schema}, this build has schema {SCHEMA_VERSION}")
    rows, claims = {row.id: row for row in board.rows}, {each.claim.id: each for each in stated()}
    found += [f"{id} is new and not on it" for id in claims if id not in rows]
    found += [f"{id} is no longer claimed" for id in rows if id not in claims]
    for id in rows.keys() & claims.keys():
        row, each = rows[id], claims[id]
        if (row.claim, (row.experiment, row.part, row.preset)) != (each.claim.text, each.run):
            found.append(f"{id} has changed since")
    return sorted(found)


# --- as files


def write(board: Board, directory: Path) -> None:
    """Write `FILES`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in zip(FILES, (as_json(board), as_csv(board), as_markdown(board)), strict=True):
        (directory / name).write_text(text, encoding="utf-8", newline="\n")


def read(directory: Path = RECORDED) -> Board | None:
    """The board of a directory; None where there is none that can be read."""
    try:
        raw = json.loads((directory / FILES[0]).read_text("utf-8"))
        rows = tuple(Row(**row) for row in raw["rows"])
        return Board(raw["computed"], raw["versions"], raw["schema"], rows)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_json(board: Board) -> str:
    """What `read` reads."""
    head = {"computed": board.computed, "versions": board.versions, "schema": board.schema, "seconds": round(board.seconds, 1)}
    return json.dumps(head | {"rows": [asdict(row) for row in board.rows]}, indent=2, ensure_ascii=False) + "\n"


def as_csv(board: Board) -> str:
    """One line per claim, with the link that opens the experiment."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Row)]
    writer.writerow([*names, "link"])
    writer.writerows([[getattr(row, name) for name in names] + [row.link] for row in board.rows])
    return text.getvalue()


def as_markdown(board: Board) -> str:
    """A table to read."""
    lines = ["# The claims board", "", f"{summary(board)}. {footing(board)}", ""]
    lines += ["| verdict | claim | measured | where | source |", "|---|---|---|---|---|"]
    for row in board.rows:
        where = f"{row.experiment}, {row.part} ({row.preset})"
        cells = (f"{ICONS[row.judgement]} {row.judgement}", row.claim, row.measured, where, f"[{row.source}]({row.source_url})")
        lines.append("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def summary(board: Board) -> str:
    """'14 claims: 10 supported, 3 mixed, 1 not supported in this setting'."""
    judged = [row.judgement for row in board.rows]
    counts = ", ".join(f"{judged.count(judgement)} {judgement}" for judgement in ICONS if judgement in judged)
    return f"{len(judged)} claim{'' if len(judged) == 1 else 's'}: {counts or 'none'}"


def footing(board: Board) -> str:
    """When the board was computed, and with which versions."""
    used = ", ".join(f"{name} {number}" for name, number in board.versions.items())
    return f"Computed {board.computed or 'never'} with {used}, schema {board.schema}, in {board.seconds:.0f} s of runs."
