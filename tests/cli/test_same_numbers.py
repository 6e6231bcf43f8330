"""The page's worker, the command line and the library measure the same numbers for the same configuration, bit for bit."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.records.tables import Tables
from bnviz.runs.recording import record
from bnviz.runs.service import RunService
from bnviz.runs.settings import ServerSettings

CONFIG = RunConfig(
    dataset=DatasetConfig(name="digits"),
    arms=(ArmConfig(depth=3, width=16), ArmConfig(norm="batch", depth=3, width=16, dropout=0.2, optimizer="adam", lr=0.01)),
    trials=3,
    steps=40,
)
PATIENCE_SECONDS = 60
TABLES = ("curves", "layers", "histograms")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunService]:
    service = RunService(ServerSettings(data_dir=str(tmp_path)))
    service.start()
    yield service
    service.close()


def test_the_page_and_a_headless_run_give_the_same_tables(service: RunService) -> None:
    run_id = service.submit(CONFIG).id
    deadline = time.monotonic() + PATIENCE_SECONDS
    while service.status(run_id).state in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert service.status(run_id).state == "finished"
    tables, trace = Tables.from_records(service.journal(run_id)), record(CONFIG)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(tables, name), getattr(trace, name), check_exact=True)


def test_the_command_line_and_the_library_give_the_same_tables(tmp_path: Path) -> None:
    (tmp_path / "asked.json").write_text(CONFIG.model_dump_json())
    command = [sys.executable, "-m", "bnviz", "run", "--config", tmp_path / "asked.json", "--out", tmp_path / "out"]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True, timeout=120)
    trace = record(CONFIG)
    for name in TABLES:
        written = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        pd.testing.assert_frame_equal(written, getattr(trace, name), check_dtype=False, check_exact=True)
