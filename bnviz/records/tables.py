"""Tidy tables from records: one row a measurement, one column a measured name.

    records -> Tables.add() -> .curves      arm, trial, step, diverged_at, CURVE_MEASURES
                               .layers      arm, trial, step, layer, LAYER_MEASURES, TENSORS x percentiles
                               .histograms  arm, trial, step, layer, tensor, bin_left, bin_right, count

Adding keeps a reference to the record's arrays; a table is built when it is asked for and kept until the next
record. Rows are sorted by arm (in the order of the configuration), trial, step, layer. Layers count from 1, the
one next to the data. No torch.
"""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnviz.config.models import RunConfig
from bnviz.records.records import (
    BIN_EDGES,
    CURVE_MEASURES,
    LAYER_MEASURES,
    PERCENTILES,
    TENSORS,
    ArmMeasured,
    Record,
    RunStarted,
    StepMeasured,
)

PERCENTILE_MEASURES = tuple(f"{tensor}_p{percentile}" for tensor in TENSORS for percentile in PERCENTILES)
_LEFT = np.concatenate(([-np.inf], BIN_EDGES.round(10)))
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # for a spreadsheet; some read the wide ones too
_RIGHT = np.concatenate((BIN_EDGES.round(10), [np.inf]))


class Tables:
    """The three tables of one run, built from its records in the order in which they come."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self._frames: list[StepMeasured] = []
        self._built: dict[str, pd.DataFrame] = {}

    @classmethod
    def from_records(cls, records: Iterable[Record]) -> "Tables":
        """Build from all records so far.

        Raises:
            ValueError: there is no `RunStarted` at the start.
        """
        iterator = iter(records)
        started = next(iterator, None)
        if not isinstance(started, RunStarted):
            raise ValueError("the records of a run start with RunStarted")
        tables = cls(started.config)
        for record in iterator:
            tables.add(record)
        return tables

    def add(self, record: Record) -> None:
        """Take one more record; all but `StepMeasured` leave the tables as they are."""
        if isinstance(record, StepMeasured):
            self._frames.append(record)
            self._built.clear()

    @property
    def curves(self) -> pd.DataFrame:
        """Loss and accuracy; `diverged_at` is missing while the trial has not diverged."""
        return self._table("curves", _arm_curves)

    @property
    def layers(self) -> pd.DataFrame:
        """Measures of every layer; percentiles are NaN in trials whose distributions are not recorded."""
        return self._table("layers", _arm_layers)

    @property
    def histograms(self) -> pd.DataFrame:
        """Counts on the shared bins; the first bin starts at -inf and the last one ends at inf."""
        return self._table("histograms", _arm_histograms)

    def _table(self, name: str, build: Callable[[list[ArmMeasured], NDArray[np.int32]], pd.DataFrame]) -> pd.DataFrame:
        if name not in self._built:
            self._built[name] = self._concat(build)
        return self._built[name]

    def _concat(self, build: Callable[[list[ArmMeasured], NDArray[np.int32]], pd.DataFrame]) -> pd.DataFrame:
        steps = np.array([frame.step for frame in self._frames], np.int32)
        labels = self.config.arm_labels
        parts = []
        for index in range(len(labels)):
            measured = [frame.arms[index] for frame in self._frames]
            part = build(measured or [_nothing()], steps)
            part.insert(0, "arm", pd.Categorical.from_codes(np.full(len(part), index, np.int8), categories=list(labels)))
            parts.append(part)
        return pd.concat(parts, ignore_index=True)


def to_csv(table: pd.DataFrame) -> str:
    """Write a table for spreadsheets: a text that one would take for a formula has an apostrophe before it."""
    texts = table.select_dtypes(["object", "category", "string"]).columns
    return table.assign(**{name: table[name].map(_no_formula) for name in texts}).to_csv(index=False)


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _nothing() -> ArmMeasured:
    """An arm of no trials and no layers: the tables of a run that has measured nothing have their columns all the same."""
    return ArmMeasured(
        curves={name: np.empty(0, np.float32) for name in CURVE_MEASURES},
        layers={name: np.empty((0, 0), np.float32) for name in LAYER_MEASURES},
        percentiles={name: np.empty((0, 0, len(PERCENTILES)), np.float32) for name in TENSORS},
        histograms={name: np.empty((0, 0, len(_LEFT)), np.uint32) for name in TENSORS},
        diverged_at=np.empty(0, np.int32),
    )


def _keys(steps: NDArray[np.int32], trials: int, *inner: tuple[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Columns of the keys for rows ordered by trial, step and then the inner keys, the last one fastest."""
    axes = [("trial", np.arange(trials, dtype=np.int16)), ("step", steps), *inner]
    shape = tuple(len(values) for _, values in axes)
    columns = {}
    for axis, (name, values) in enumerate(axes):
        spread = values.reshape([-1 if i == axis else 1 for i in range(len(axes))])
        columns[name] = np.broadcast_to(spread, shape).reshape(-1)
    return columns


def _by_trial(frames: Iterable[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Stack (frame, trial, ...) and put the trial first."""
    return np.swapaxes(np.stack(list(frames)), 0, 1)


def _arm_curves(measured: list[ArmMeasured], steps: NDArray[np.int32]) -> pd.DataFrame:
    diverged = _by_trial(arm.diverged_at for arm in measured).reshape(-1).astype(np.int32)
    columns: dict[str, object] = dict(_keys(steps, len(measured[0].diverged_at)))
    columns["diverged_at"] = pd.arrays.IntegerArray(diverged, diverged < 0)
    for name in CURVE_MEASURES:
        columns[name] = _by_trial(arm.curves[name] for arm in measured).reshape(-1)
    return pd.DataFrame(columns)


def _arm_layers(measured: list[ArmMeasured], steps: NDArray[np.int32]) -> pd.DataFrame:
    trials, depth = measured[0].layers[LAYER_MEASURES[0]].shape
    columns = _keys(steps, trials, ("layer", np.arange(1, depth + 1, dtype=np.int16)))
    for name in LAYER_MEASURES:
        columns[name] = _by_trial(arm.layers[name] for arm in measured).reshape(-1)
    for tensor in TENSORS:
        recorded = _by_trial(arm.percentiles[tensor] for arm in measured)
        padded = np.full((trials, *recorded.shape[1:]), np.nan, np.float32)
        padded[: len(recorded)] = recorded
        for index, percentile in enumerate(PERCENTILES):
            columns[f"{tensor}_p{percentile}"] = padded[..., index].reshape(-1)
    return pd.DataFrame(columns)


def _arm_histograms(measured: list[ArmMeasured], steps: NDArray[np.int32]) -> pd.DataFrame:
    trials, depth, bins = measured[0].histograms[TENSORS[0]].shape
    columns: dict[str, object] = dict(
        _keys(
            steps,
            trials,
            ("layer", np.arange(1, depth + 1, dtype=np.int16)),
            ("tensor", np.arange(len(TENSORS), dtype=np.int8)),
            ("bin", np.arange(bins, dtype=np.int8)),
        )
    )
    bin_index = np.asarray(columns.pop("bin"))
    columns["tensor"] = pd.Categorical.from_codes(np.asarray(columns["tensor"]), categories=list(TENSORS))
    columns["bin_left"], columns["bin_right"] = _LEFT[bin_index], _RIGHT[bin_index]
    counts = [_by_trial(arm.histograms[tensor] for arm in measured) for tensor in TENSORS]
    columns["count"] = np.stack(counts, axis=3).reshape(-1)
    return pd.DataFrame(columns)
