"""The page's worker and a headless run measure the same numbers for the same configuration, bit for bit."""

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from bnviz.config import ArmConfig, DatasetConfig, RunConfig
from bnviz.recording import record
from bnviz.runs.service import RunService
from bnviz.settings import Settings
from bnviz.tables import Tables

CONFIG = RunConfig(
    dataset=DatasetConfig(name="digits"),
    arms=(ArmConfig(depth=3, width=16), ArmConfig(norm="batch", depth=3, width=16, dropout=0.2, optimizer="adam", lr=0.01)),
    trials=3,
    steps=40,
)
PATIENCE_SECONDS = 60


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunService]:
    service = RunService(Settings(data_dir=str(tmp_path)))
    service.start()
    yield service
    service.close()


def test_the_page_and_a_headless_run_give_the_same_tables(service: RunService) -> None:
    run_id = service.submit(CONFIG).id
    deadline = time.monotonic() + PATIENCE_SECONDS
    while service.status(run_id).state in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert service.status(run_id).state == "finished"
    tables, trace = Tables.from_records(service.trace(run_id)), record(CONFIG)
    for name in ("curves", "layers", "histograms"):
        pd.testing.assert_frame_equal(getattr(tables, name), getattr(trace, name), check_exact=True)
