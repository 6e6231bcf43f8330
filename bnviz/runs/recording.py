"""Headless: run a configuration to its end and keep everything that was measured.

record(config) -> Trace    .curves .layers .histograms (tidy tables), .summary, .write(directory)
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bnviz.config.models import RunConfig
from bnviz.experiments.parts.race import RaceVerdict
from bnviz.records.records import CURVE_MEASURES, END_STATES, Record, RunStarted, RunStopped, StepMeasured
from bnviz.records.tables import Tables
from bnviz.training.run import run

Progress = Callable[[StepMeasured], object]


class Trace:
    """The records of one run, and the tables and the summary made of them."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.records: list[Record] = []
        self.seconds = 0.0
        self._tables = Tables(config)
        self._verdict = RaceVerdict(config)

    def add(self, record: Record) -> None:
        """Append the next record of the run."""
        self.records.append(record)
        self._tables.add(record)
        if isinstance(record, StepMeasured):
            self._verdict.add(record)

    @property
    def started(self) -> RunStarted:
        """The run's identity and the hashes that show its arms to be twins.

        Raises:
            LookupError: the run has not started.
        """
        if not (self.records and isinstance(self.records[0], RunStarted)):
            raise LookupError("the run has not started")
        return self.records[0]

    @property
    def curves(self) -> pd.DataFrame:
        """Columns arm, trial, step, diverged_at and `CURVE_MEASURES`."""
        return self._tables.curves

    @property
    def layers(self) -> pd.DataFrame:
        """Columns arm, trial, step, layer, `LAYER_MEASURES` and the percentiles, as in `pre_norm_p50`."""
        return self._tables.layers

    @property
    def histograms(self) -> pd.DataFrame:
        """Columns arm, trial, step, layer, tensor, bin_left, bin_right and count."""
        return self._tables.histograms

    @property
    def summary(self) -> dict[str, Any]:
        """What the run was and how it ended: plain values that JSON can hold."""
        started, last = self.started, self.records[-1]
        return {
            "run_id": started.run_id,
            "state": END_STATES.get(type(last), "running"),
            "reason": getattr(last, "reason", ""),
            "step": getattr(last, "step", 0),
            "seconds": round(self.seconds, 3),
            "verdict": self._verdict.sentence(),
            "arms": self._arms(),
            "weights_hash": [list(hashes) for hashes in started.weights_hash],
            "batches_hash": [list(hashes) for hashes in started.batches_hash],
            "versions": dict(started.versions),
        }

    def _arms(self) -> list[dict[str, Any]]:
        frames = [record for record in self.records if isinstance(record, StepMeasured)]
        arms = frames[-1].arms if frames else ()
        return [
            {
                "arm": label,
                "diverged": {str(trial): int(step) for trial, step in enumerate(arm.diverged_at) if step >= 0},
                **{f"final_{name}": _spread(arm.curves[name]) for name in CURVE_MEASURES},
            }
            for label, arm in zip(self.config.arm_labels, arms, strict=False)
        ]

    def write(self, directory: Path) -> None:
        """Write config.json, the three tables as Parquet and, last, summary.json."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "config.json").write_text(self.config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for name in ("curves", "layers", "histograms"):
            getattr(self, name).to_parquet(directory / f"{name}.parquet", index=False)
        text = json.dumps(self.summary, indent=2, allow_nan=False)
        (directory / "summary.json").write_text(text + "\n", encoding="utf-8")


def _spread(values: np.ndarray) -> dict[str, Any]:
    """Median over the trials that are finite, and every trial's value (None where it diverged)."""
    finite = values[np.isfinite(values)]
    return {
        "median": _number(np.median(finite)) if len(finite) else None,
        "trials": [_number(value) if np.isfinite(value) else None for value in values],
    }


def _number(value: np.floating) -> float:
    """The shortest decimal that a float32 needs: 0.83, not 0.8299999833106995."""
    return float(str(np.float32(value)))


def record(config: RunConfig, progress: Progress | None = None) -> Trace:
    """Run to the end: the same numbers as the page's.

    Args:
        config: the run.
        progress: called with every `StepMeasured`.

    Raises:
        DatasetUnavailable: the data set has to be downloaded and cannot be.
    """
    trace = Trace(config)
    fill(trace, progress)
    return trace


def fill(trace: Trace, progress: Progress | None = None) -> None:
    """Run a trace's configuration into it. When interrupted, it keeps what was measured and ends with `RunStopped`.

    Raises:
        KeyboardInterrupt: after the trace was ended.
    """
    begin = time.perf_counter()
    step = 0
    try:
        for each in run(trace.config):
            trace.add(each)
            if isinstance(each, StepMeasured):
                step = each.step
                if progress:
                    progress(each)
    except KeyboardInterrupt:
        trace.add(RunStopped(step=step, reason="interrupted"))
        raise
    finally:
        trace.seconds = time.perf_counter() - begin
