"""The tidy tables against a loop that visits every number once."""

import csv
import io
import math
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.records.records import (
    BIN_COUNT,
    BIN_EDGES,
    CURVE_MEASURES,
    LAYER_MEASURES,
    PERCENTILES,
    TENSORS,
    ArmMeasured,
    Record,
    RunFinished,
    RunStarted,
    StepMeasured,
)
from bnviz.records.tables import Tables, to_csv

TRIALS, DEPTHS, STEPS = 3, (2, 4), (0, 1, 5)
CONFIG = RunConfig(
    arms=tuple(ArmConfig(norm=norm, depth=depth) for norm, depth in zip(("none", "batch"), DEPTHS, strict=True)), trials=3
)


def measured_arm(random: np.random.Generator, depth: int, shown: int) -> ArmMeasured:
    def floats(*shape: int) -> Any:
        return random.normal(size=shape).astype(np.float32)

    return ArmMeasured(
        curves={name: floats(TRIALS) for name in CURVE_MEASURES},
        layers={name: floats(TRIALS, depth) for name in LAYER_MEASURES},
        percentiles={name: floats(shown, depth, len(PERCENTILES)) for name in TENSORS},
        histograms={name: random.integers(0, 9, (shown, depth, BIN_COUNT + 2)).astype(np.uint32) for name in TENSORS},
        diverged_at=np.array([-1, 1, -1], np.int32),
    )


def made_records(shown: int = 1) -> list[Record]:
    random = np.random.default_rng(0)
    hashes = (("a",) * TRIALS,) * 2
    started = RunStarted(CONFIG.run_id, CONFIG, hashes, hashes, STEPS, 64, 10, None, {})
    frames = [
        StepMeasured(i, step, tuple(measured_arm(random, depth, shown) for depth in DEPTHS)) for i, step in enumerate(STEPS)
    ]
    return [started, *frames, RunFinished(STEPS[-1])]


def visits(records: list[Record]) -> Iterator[tuple[str, int, int, ArmMeasured]]:
    for index, label in enumerate(("no norm", "batch norm")):
        for trial in range(TRIALS):
            for record in records:
                if isinstance(record, StepMeasured):
                    yield label, trial, record.step, record.arms[index]


def naive_curves(records: list[Record]) -> list[tuple[Any, ...]]:
    return [
        (
            label,
            trial,
            step,
            *([None] if arm.diverged_at[trial] < 0 else [arm.diverged_at[trial]]),
            *(arm.curves[n][trial] for n in CURVE_MEASURES),
        )
        for label, trial, step, arm in visits(records)
    ]


def naive_layers(records: list[Record], shown: int) -> list[tuple[Any, ...]]:
    rows = []
    for label, trial, step, arm in visits(records):
        for layer in range(arm.layers["weight_norm"].shape[1]):
            row = [label, trial, step, layer + 1, *(arm.layers[name][trial, layer] for name in LAYER_MEASURES)]
            for tensor in TENSORS:
                row += list(arm.percentiles[tensor][trial, layer]) if trial < shown else [math.nan] * len(PERCENTILES)
            rows.append(tuple(row))
    return rows


def naive_histograms(records: list[Record], shown: int) -> list[tuple[Any, ...]]:
    edges = [-math.inf, *BIN_EDGES, math.inf]
    rows = []
    for label, trial, step, arm in visits(records):
        for layer in range(arm.layers["weight_norm"].shape[1] if trial < shown else 0):
            for tensor in TENSORS:
                for i, count in enumerate(arm.histograms[tensor][trial, layer]):
                    rows.append((label, trial, step, layer + 1, tensor, edges[i], edges[i + 1], count))
    return rows


def rows_of(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(table.astype(object).where(table.notna(), None).itertuples(index=False, name=None))


def same(got: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    cleaned = [tuple(None if isinstance(v, float) and math.isnan(v) else v for v in row) for row in expected]
    return len(got) == len(cleaned) and all(
        all(
            a == b or (isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, abs_tol=1e-9))
            for a, b in zip(*pair, strict=True)
        )
        for pair in zip(got, cleaned, strict=True)
    )


def test_curves_match_the_loop() -> None:
    records = made_records()
    table = Tables.from_records(records).curves
    assert list(table.columns) == ["arm", "trial", "step", "diverged_at", *CURVE_MEASURES]
    assert same(rows_of(table), naive_curves(records))


@pytest.mark.parametrize("shown", [1, 2, TRIALS])
def test_layers_match_the_loop(shown: int) -> None:
    records = made_records(shown)
    table = Tables.from_records(records).layers
    percentiles = [f"{tensor}_p{percentile}" for tensor in TENSORS for percentile in PERCENTILES]
    assert list(table.columns) == ["arm", "trial", "step", "layer", *LAYER_MEASURES, *percentiles]
    assert same(rows_of(table), naive_layers(records, shown))


@pytest.mark.parametrize("shown", [1, TRIALS])
def test_histograms_match_the_loop(shown: int) -> None:
    records = made_records(shown)
    table = Tables.from_records(records).histograms
    assert list(table.columns) == ["arm", "trial", "step", "layer", "tensor", "bin_left", "bin_right", "count"]
    assert same(rows_of(table), naive_histograms(records, shown))


def test_reading_between_records_changes_nothing() -> None:
    records = made_records()
    tables = Tables(CONFIG)
    lengths = []
    for record in records:
        tables.add(record)
        lengths.append(len(tables.curves))
    assert lengths == [0, 6, 12, 18, 18]
    pd.testing.assert_frame_equal(tables.layers, Tables.from_records(records).layers)


def test_a_run_without_frames_has_the_same_columns_and_no_rows() -> None:
    records = made_records()
    empty, full = Tables.from_records(records[:1]), Tables.from_records(records)
    for name in ("curves", "layers", "histograms"):
        assert list(getattr(empty, name).columns) == list(getattr(full, name).columns)
        assert len(getattr(empty, name)) == 0


def test_parquet_round_trip(tmp_path: Any) -> None:
    tables = Tables.from_records(made_records())
    for name in ("curves", "layers", "histograms"):
        table = getattr(tables, name)
        table.to_parquet(tmp_path / name, index=False)
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / name), table, check_dtype=False, check_categorical=False)


def test_records_start_with_the_start() -> None:
    with pytest.raises(ValueError, match="RunStarted"):
        Tables.from_records(made_records()[1:])


def test_tables_load_without_torch() -> None:
    code = "import sys, bnviz.records.tables; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


FORMULAS = ('=HYPERLINK("//e.org")', "+1", "-1", "@SUM(A1)", "\tx", "＝1")


def test_no_text_of_a_csv_is_a_formula() -> None:
    table = pd.DataFrame({"arm": pd.Categorical([*FORMULAS, "a=b"]), "text": [*FORMULAS, "a=b"], "value": -1.0})
    rows = list(csv.reader(io.StringIO(to_csv(table))))
    assert rows[0] == ["arm", "text", "value"]
    for row, text in zip(rows[1:], table["text"], strict=True):
        assert row[0] == row[1] == (text if text == "a=b" else f"'{text}")
        assert float(row[2]) == -1.0
    assert to_csv(pd.DataFrame({"arm": ["\rx"]})).endswith("'\rx\n")
    assert list(table["text"]) == [*FORMULAS, "a=b"], "the table itself keeps what it holds"


def test_a_csv_without_formulas_is_pandas_own() -> None:
    table = Tables.from_records(made_records()).layers
    assert to_csv(table) == table.to_csv(index=False)
