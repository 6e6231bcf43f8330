"""A study as one table: every number once, where it was measured."""

import numpy as np
import pytest

from bnviz.experiments.board.catalog import stages_of, study_config
from bnviz.records.records import StageMeasured
from bnviz.records.study_table import COLUMNS, row_count, study_table
from bnviz.runs.workers.execute import run_any

pytestmark = pytest.mark.usefixtures("tiny")


def test_every_number_is_a_row():
    config = study_config("tiny", "losses")
    records = list(run_any(config))
    table = study_table([stage.key for stage in stages_of(config)], records)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == sum(map(row_count, records))
    for record in records:
        if isinstance(record, StageMeasured) and record.arms:
            found = table.query("stage == 'width=4' and measure == 'train_loss' and arm == 1 and step == @record.step")
            if record.stage == 1:
                np.testing.assert_array_equal(found["value"], record.arms[1].curves["train_loss"].astype(float))
                assert list(found["place"]) == ["0", "1"]
    assert set(table.query("stage == 'nets'")["arm"]) == {-1}


def test_nothing_measured_is_an_empty_table():
    assert tuple(study_table(["a"], []).columns) == COLUMNS
