"""`python -m bnviz` as a process: exit codes, one-line errors, files."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bnviz.config.models import RunConfig
from bnviz.config.presets import PRESETS

ROOT = Path(__file__).parents[2]
FILES = {"config.json", "curves.parquet", "layers.parquet", "histograms.parquet", "summary.json"}
SMALL = ["arms.0.depth=2", "arms.1.depth=2", "arms.0.width=8", "arms.1.width=8", "trials=2", "steps=6", "dataset.name=moons"]
Cli = Callable[..., subprocess.CompletedProcess[str]]


def cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bnviz", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)


def run_small(out: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return cli("run", "--preset", "classic", "--set", *SMALL, "--out", out, *arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "deep" / "out"
    done = run_small(out)
    assert done.returncode == 0, done.stderr
    return out


def test_presets_are_listed() -> None:
    done = cli("presets")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(PRESETS)


def test_a_run_writes_its_files(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == FILES
    summary = json.loads((finished / "summary.json").read_text())
    config = RunConfig.model_validate_json((finished / "config.json").read_bytes())
    assert (summary["run_id"], summary["state"], summary["step"]) == (config.run_id, "finished", 6)
    assert (config.dataset.name, config.arms[1].depth, config.trials) == ("moons", 2, 2)


def test_its_configuration_runs_again_to_the_same_run(finished: Path, tmp_path: Path) -> None:
    done = cli("run", "--config", finished / "config.json", "--set", "steps=0", "--out", tmp_path)
    assert done.returncode == 0
    config = RunConfig.model_validate_json((finished / "config.json").read_bytes())
    assert json.loads((tmp_path / "summary.json").read_text())["run_id"] == config.model_copy(update={"steps": 0}).run_id


def test_a_run_is_not_overwritten_unless_asked(finished: Path) -> None:
    before = (finished / "summary.json").read_text()
    refused = run_small(finished)
    assert refused.returncode == 2
    assert str(finished) in refused.stderr
    assert "--force" in refused.stderr
    assert (finished / "summary.json").read_text() == before
    assert run_small(finished, "--force").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["run", "presets"]),
        (["fly"], ["fly", "run", "presets"]),
        (["run", "--out", "x"], ["--preset", "--config"]),
        (["run", "--preset", "classic"], ["--out"]),
        (["run", "--preset", "nothing", "--out", "x"], ["--preset", "nothing", "classic", "dying_relu"]),
        (["run", "--config", "nowhere.json", "--out", "x"], ["nowhere.json", "No such file"]),
        (["run", "--preset", "classic", "--set", "arms.0.lr=-1", "--out", "x"], ["arms.0.lr", "-1", "0.000001 to 100"]),
        (["run", "--preset", "classic", "--set", "arms.0.norm=batsch", "--out", "x"], ["arms.0.norm", "batsch", "instance"]),
        (["run", "--preset", "classic", "--set", "arms.9.lr=1", "--out", "x"], ["arms.9.lr", "arms.0 to arms.1"]),
        (["run", "--preset", "classic", "--set", "stepps=1", "--out", "x"], ["stepps", "steps"]),
        (["run", "--preset", "classic", "--set", "steps", "--out", "x"], ["steps", "KEY=VALUE"]),
        (
            ["run", "--preset", "classic", "--set", "steps=many", "trials=0", "--out", "x"],
            ["steps", "many", "0 to 5000", "trials", "1 to 128"],
        ),
        (
            [
                "run",
                "--preset",
                "classic",
                "--set",
                "arms.0.width=512",
                "arms.0.depth=100",
                "trials=32",
                "steps=5000",
                "--out",
                "x",
            ],
            ["multiply-adds", "steps"],
        ),
        (["run", "--preset", "classic", "--out", "/dev/null/x"], ["--out", "/dev/null/x"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "x"
    done = cli(*(out if argument == "x" else argument for argument in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["JSON"]),
        ("[1]", ["arms"]),
        ('{"steps": -5}', ["steps", "-5", "0 to 5000"]),
        ('{"arms": [{"norm": 3}]}', ["arms.0.norm", "3", "batch"]),
        ("\udcff", ["JSON"]),
    ],
)
def test_a_bad_configuration_file_is_one_line(text: str, words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    done = cli("run", "--config", file, "--out", tmp_path / "x")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr for word in ["bad.json", *words]), done.stderr


def test_help_names_the_presets_and_exits_with_0() -> None:
    done = cli("run", "--help")
    assert done.returncode == 0
    assert "classic" in done.stdout


def test_ctrl_c_leaves_what_was_measured_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bnviz", "run", "--preset", "classic", "--set", "steps=5000", "--out", str(tmp_path)]
    listen = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, start_new_session=True, preexec_fn=listen) as process:
        assert process.stderr is not None
        told = b""
        while not re.search(rb" [1-9]\d*/5000", told):
            chunk = os.read(process.stderr.fileno(), 4096)
            assert chunk, told
            told += chunk
        process.send_signal(signal.SIGINT)
        told += process.stderr.read()
        assert process.wait(60) == 130
    last = told.decode().splitlines()[-1]
    assert "interrupted at step" in last
    assert str(tmp_path) in last
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["state"] == "stopped"
    assert 0 < summary["step"] < 5000
    assert pd.read_parquet(tmp_path / "curves.parquet")["step"].max() == summary["step"]


def test_it_is_installed_in_its_own_environment(tmp_path: Path) -> None:
    """The package is found from any folder, and `bnviz` is a command."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "import bnviz; print(bnviz.__file__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    command = Path(sys.executable).with_name("bnviz")
    told = subprocess.run([command, "presets"], cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "classic" in told.stdout
