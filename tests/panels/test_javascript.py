"""The live panel's JavaScript: its own tests, run by Node.js, and its types, checked by TypeScript."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.javascript import FOLDER, NOT_INSTALLED, ROOT, TSC
from tests.panels.replay import run_tests

FILES = sorted((FOLDER / "test").glob("*.test.js"))
UNCHECKED = {"@ts-ignore", "@ts-nocheck", "@ts-expect-error"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_javascript(file: Path) -> None:
    done = run_tests(file, BNVIZ_EVENTS="")
    assert done.returncode == 0, done.stdout
    assert "ℹ fail 0\n" in done.stdout
    assert "ℹ tests 0\n" not in done.stdout


def test_a_test_that_fails_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.test.mjs"
    wrong.write_text('import { test } from "node:test";\ntest("wrong", () => { throw new Error("so it is"); });\n')
    done = run_tests(wrong)
    assert done.returncode != 0
    assert "so it is" in done.stdout


@pytest.fixture
def types() -> None:
    if not TSC.exists():
        assert os.environ.get("BNVIZ_REQUIRE_TYPESCRIPT") != "1", NOT_INSTALLED
        pytest.skip(NOT_INSTALLED)


def check() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "javascript.py"), "types"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.usefixtures("types")
def test_types() -> None:
    done = check()
    assert done.returncode == 0, done.stdout


def test_every_module_is_checked_without_exceptions() -> None:
    for path in FOLDER.rglob("*.js"):
        assert not [word for word in UNCHECKED if word in path.read_text("utf-8")], path
