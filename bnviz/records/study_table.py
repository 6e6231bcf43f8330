"""Everything that a study has measured as one tidy table, a row a number. No torch.

    stage, step, arm, measure, place, value      place: the number's indices in its array, trial first, as "0 3"

`arm` counts from 0; it is -1 for the values of a probe.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnviz.records.records import Record, StageMeasured

COLUMNS = ("stage", "step", "arm", "measure", "place", "value")
Found = tuple[int, str, NDArray[np.float64]]  # arm, measure, values


def study_table(keys: Sequence[str], records: Iterable[Record]) -> pd.DataFrame:
    """Lay out the measurements of a study.

    Args:
        keys: of the study's stages, in order.
        records: of the study; others than `StageMeasured` are passed over.
    """
    parts = [
        _rows(keys[record.stage], record.step, found)
        for record in records
        if isinstance(record, StageMeasured)
        for found in _arrays(record)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def row_count(record: Record) -> int:
    """Rows that a record adds to the table."""
    return sum(values.size for _, _, values in _arrays(record)) if isinstance(record, StageMeasured) else 0


def _arrays(record: StageMeasured) -> Iterator[Found]:
    for index, arm in enumerate(record.arms):
        for table in (arm.curves, arm.layers, arm.percentiles, arm.histograms, arm.extras):
            for name, values in table.items():
                yield index, name, np.asarray(values, np.float64)
        yield index, "diverged_at", np.asarray(arm.diverged_at, np.float64)
    for name, values in record.values.items():
        yield -1, name, values


def _rows(stage: str, step: int, found: Found) -> pd.DataFrame:
    arm, measure, values = found
    places = [" ".join(map(str, place)) for place in np.ndindex(values.shape)]
    return pd.DataFrame({"stage": stage, "step": step, "arm": arm, "measure": measure, "place": places, "value": values.ravel()})
