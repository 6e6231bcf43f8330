"""Headless runs: the same numbers each time, a complete trace, a summary that JSON can hold."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

import bnviz
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.records.records import CURVE_MEASURES, RunFinished, RunStarted, StepMeasured
from bnviz.runs.recording import Trace, fill, record

SMALL = RunConfig(
    dataset=DatasetConfig(name="moons", train_size=200, test_size=50),
    arms=(ArmConfig(depth=2, width=8), ArmConfig(norm="batch", depth=3, width=8)),
    trials=2,
    steps=12,
    batch_size=16,
    probe_size=32,
)
TABLES = ("curves", "layers", "histograms")


@pytest.fixture(scope="module")
def trace() -> Trace:
    return record(SMALL)


def test_the_same_configuration_gives_the_same_tables(trace: Trace) -> None:
    again = record(SMALL)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(trace, name), getattr(again, name), check_exact=True)
    assert again.started.weights_hash == trace.started.weights_hash


def test_another_seed_gives_other_numbers(trace: Trace) -> None:
    other = record(SMALL.model_copy(update={"seed": 1}))
    assert not other.curves["train_loss"].equals(trace.curves["train_loss"])


def test_the_package_offers_run_and_record_as_often_as_asked() -> None:
    for _ in range(2):
        kinds = [type(each) for each in bnviz.run(SMALL)]
        assert (kinds[0], kinds[-1]) == (RunStarted, RunFinished)
        assert set(kinds[1:-1]) == {StepMeasured}
        assert isinstance(bnviz.record(SMALL), bnviz.Trace)


def test_tables_hold_every_arm_trial_step_and_layer(trace: Trace) -> None:
    steps = list(trace.started.measured_steps)
    assert (steps[0], steps[-1]) == (0, SMALL.steps)
    assert len(trace.curves) == 2 * 2 * len(steps)
    assert len(trace.layers) == (2 + 3) * 2 * len(steps)
    assert list(trace.curves["arm"].cat.categories) == list(SMALL.arm_labels)
    assert sorted(set(trace.layers["step"])) == steps
    assert sorted(set(trace.layers.query("arm == 'batch norm'")["layer"])) == [1, 2, 3]


def test_a_histogram_holds_every_probe_value_once(trace: Trace) -> None:
    mass = trace.histograms.groupby(["arm", "trial", "step", "layer", "tensor"], observed=True)["count"].sum()
    assert set(mass) == {SMALL.probe_size * 8}


def test_the_summary_says_what_ran_and_how_it_ended(trace: Trace) -> None:
    summary = json.loads(json.dumps(trace.summary, allow_nan=False))
    assert (summary["run_id"], summary["state"], summary["step"]) == (SMALL.run_id, "finished", 12)
    assert summary["batches_hash"][0] == summary["batches_hash"][1]
    assert summary["versions"]["torch"] == torch.__version__
    assert summary["seconds"] > 0
    last = trace.curves[trace.curves["step"] == SMALL.steps]
    for arm in summary["arms"]:
        rows = last[last["arm"] == arm["arm"]]
        for name in CURVE_MEASURES:
            assert arm[f"final_{name}"]["trials"] == pytest.approx(rows[name].tolist(), rel=1e-6)
            assert arm[f"final_{name}"]["median"] == pytest.approx(rows[name].median(), rel=1e-6)


def test_trials_that_diverge_are_told_with_their_step() -> None:
    arms = (ArmConfig(depth=8, lr=100.0, init_gain=3.0), ArmConfig(norm="batch", depth=2))
    trace = record(SMALL.model_copy(update={"arms": arms}))
    plain, other = trace.summary["arms"]
    assert set(plain["diverged"]) == {"0", "1"}
    assert other["diverged"] == {}
    assert plain["final_train_loss"] == {"median": None, "trials": [None, None]}
    told = trace.curves.query("arm == 'no norm'").groupby("trial")["diverged_at"].max()
    assert {str(trial): step for trial, step in told.items()} == plain["diverged"]


def test_zero_steps_measure_the_initialization() -> None:
    trace = record(SMALL.model_copy(update={"steps": 0}))
    assert list(trace.curves["step"].unique()) == [0]
    assert trace.curves["train_loss"].notna().all()


def test_an_interrupted_run_keeps_what_it_measured() -> None:
    def interrupt(measured: StepMeasured) -> None:
        if measured.step >= 5:
            raise KeyboardInterrupt

    trace = Trace(SMALL)
    with pytest.raises(KeyboardInterrupt):
        fill(trace, interrupt)
    assert (trace.summary["state"], trace.summary["reason"], trace.summary["step"]) == ("stopped", "interrupted", 5)
    assert trace.curves["step"].max() == 5


def test_progress_sees_every_measurement_in_order() -> None:
    seen: list[int] = []
    trace = record(SMALL, lambda measured: seen.append(measured.step))
    assert tuple(seen) == trace.started.measured_steps


def test_a_trace_that_has_not_started_says_so() -> None:
    with pytest.raises(LookupError, match="not started"):
        _ = Trace(SMALL).summary


def test_written_files_read_back(trace: Trace, tmp_path: Path) -> None:
    trace.write(tmp_path / "a" / "b")
    folder = tmp_path / "a" / "b"
    assert RunConfig.model_validate_json((folder / "config.json").read_bytes()) == SMALL
    for name in TABLES:
        pd.testing.assert_frame_equal(pd.read_parquet(folder / f"{name}.parquet"), getattr(trace, name), check_dtype=False)
