"""Recorded events played by the JavaScript of the panel, by Node.js alone."""

import json
import os
import subprocess
from pathlib import Path

from scripts.javascript import FOLDER, node
from tests.panels.events import Event


def replay(runs: dict[str, list[Event]], folder: Path) -> None:
    """Draw every frame of these runs, by their names; fails with what Node.js says."""
    file = folder / "events.json"
    file.write_text(json.dumps(runs, allow_nan=False), "utf-8")
    done = run_tests(FOLDER / "test" / "recorded.test.js", BNVIZ_EVENTS=str(file))
    assert done.returncode == 0, done.stdout
    assert f"ℹ pass {len(runs) + 1}\n" in done.stdout


def run_tests(file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The tests of one file, run by Node.js, and what it says of them."""
    plain = {name: value for name, value in os.environ.items() if name not in ("NODE_OPTIONS", "NODE_TEST_CONTEXT")}
    done = node(
        ["--test", "--test-reporter=spec", str(file)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=plain | environment,
        timeout=120,
    )
    assert isinstance(done.stdout, str)
    return done
