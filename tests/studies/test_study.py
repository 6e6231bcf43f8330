"""A study's records: its stages in order, with what they keep, as a pure function of the configuration."""

import re

import numpy as np
import pytest
from pydantic import ValidationError

from bnviz.config import ceilings
from bnviz.config.ceilings import CostTooHigh, MemoryTooHigh
from bnviz.config.memory import estimated_bytes
from bnviz.config.studies import StudyConfig, parse_config
from bnviz.experiments.board.catalog import UnknownPart, check_study, settings_of, stages_of, study_config
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Stage
from bnviz.records.codec import decode, encode
from bnviz.records.records import RunFinished, StageMeasured, StepMeasured, StudyStarted
from bnviz.runs.workers.execute import run_any
from bnviz.training.run import run
from bnviz.training.study import run_study

pytestmark = pytest.mark.usefixtures("tiny")


def records(**settings):
    return list(run_any(study_config("tiny", "losses", settings)))


def test_the_stages_follow_each_other_and_say_which_frame_is_their_last():
    started, *measured, finished = records()
    assert isinstance(started, StudyStarted)
    assert isinstance(finished, RunFinished)
    assert all(isinstance(record, StageMeasured) for record in measured)
    assert [record.frame for record in measured] == list(range(len(measured)))
    stages = [record.stage for record in measured]
    assert stages == sorted(stages)
    assert set(stages) == {0, 1, 2}
    assert [record.stage for record in measured if record.is_last] == [0, 1, 2]
    assert all(measured[i].is_last == (i + 1 == len(measured) or stages[i] != stages[i + 1]) for i in range(len(measured)))


def test_the_share_done_grows_to_one():
    done = [record.done for record in records() if isinstance(record, StageMeasured)]
    assert done == sorted(done)
    assert done[-1] == 1
    assert 0 <= done[0] < 0.5


def test_a_stage_measures_what_a_run_of_its_own_would():
    config = stages_of(study_config("tiny", "losses"))[1].run
    alone = [record.arms[0].curves["train_loss"] for record in run(config) if isinstance(record, StepMeasured)]
    within = [
        record.arms[0].curves["train_loss"] for record in records() if isinstance(record, StageMeasured) and record.stage == 1
    ]
    np.testing.assert_array_equal(within, alone)


def test_only_what_is_kept_is_measured():
    first = records()[1]
    assert set(first.arms[0].curves) == {"train_loss"}
    assert not first.arms[0].layers
    assert not first.arms[0].histograms


def test_a_probe_gives_its_values_and_no_arms():
    last = records()[-2]
    assert last.arms == ()
    assert last.values["dead_share"].shape[:2] == (1, 2)


def test_the_same_configuration_gives_the_same_bytes():
    first, second = ([encode(record) for record in records()] for _ in range(2))
    assert first == second


def test_records_survive_the_way_through_bytes():
    for record in records():
        again = decode(encode(record))
        assert type(again) is type(record)
        assert encode(again) == encode(record)


@pytest.mark.parametrize("name", ["../os", "_shared"])
def test_a_probe_that_does_not_exist_is_named(name):
    with pytest.raises(LookupError, match=f"no probe {re.escape(repr(name))}"):
        list(run_study(study_config("tiny", "losses"), (Stage("x", "x", probe=name),)))


def test_settings_are_checked_and_written_out():
    config = study_config("tiny", "losses", {"steps": "7"})
    assert config.settings["steps"] == 7
    assert config.settings["lr"] == 0.1
    assert settings_of(config).steps == 7
    with pytest.raises(ValidationError, match="less than or equal to 50"):
        study_config("tiny", "losses", {"steps": 51})
    with pytest.raises(ValidationError, match="extra"):
        study_config("tiny", "losses", {"stepz": 5})


def test_equal_studies_share_an_id_and_others_do_not():
    same = study_config("tiny", "losses", {"steps": 4})
    assert same.run_id == study_config("tiny", "losses").run_id
    assert same.run_id != study_config("tiny", "losses", {"steps": 5}).run_id


def test_an_unknown_part_is_answered_with_those_there_are():
    with pytest.raises(UnknownPart, match="allowed are tiny"):
        study_config("huge", "losses")
    with pytest.raises(UnknownPart, match="allowed are losses"):
        check_study(StudyConfig(experiment="tiny", part="gains"))


@pytest.mark.parametrize("widths", [[512] * 2000, [2] * 8000], ids=["much work", "many stages"])
def test_a_study_that_costs_too_much_is_refused(widths):
    check_study(study_config("tiny", "losses"))
    with pytest.raises(CostTooHigh):
        check_study(study_config("tiny", "losses", {"widths": widths, "steps": 50}))


def test_the_memory_of_a_study_is_that_of_its_largest_stage(monkeypatch):
    config = study_config("tiny", "losses", {"widths": [256] * 50})
    largest = max(estimated_bytes(stage.run, stage.keep) for stage in stages_of(config) if stage.run)
    monkeypatch.setattr(ceilings, "MEMORY_CEILING", largest)
    check_study(config)
    monkeypatch.setattr(ceilings, "MEMORY_CEILING", largest - 1)
    with pytest.raises(MemoryTooHigh, match="GB of memory"):
        check_study(config)


def test_what_a_stage_measures_counts():
    run = next(stage.run for stage in stages_of(study_config("tiny", "losses")) if stage.run)
    assert estimated_bytes(run, ("surface",)) > 10 * estimated_bytes(run)


def test_a_configuration_is_read_back_as_what_it_was():
    config = study_config("tiny", "losses")
    assert parse_config(config.model_dump_json()) == config
    run_config = stages_of(config)[0].run
    assert parse_config(run_config.model_dump_json().encode()) == run_config
    with pytest.raises(ValidationError):
        parse_config(b"{")


def test_a_conclusion_is_the_verdict_on_all_that_was_measured():
    verdict, results = conclude("tiny", "losses", preset="longer", lr=0.2)
    assert verdict is not None
    assert verdict.numbers["none"] == pytest.approx(np.median(results.arm("width=2", 0).curves["train_loss"]))
    assert results.finished()
    assert results.steps("width=2")[-1] == 8
    assert results.curve("width=4", "train_loss", 1).shape == (len(results.steps("width=4")), 2)
    with pytest.raises(LookupError, match="kept: train_loss"):
        results.curve("width=2", "test_loss")
