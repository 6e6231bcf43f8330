"""What the panel of an experiment is sent."""

import json

import pytest

from bnviz.experiments.board.catalog import study_config
from bnviz.panels.study import TOO_LITTLE, StudyEncoder
from bnviz.records.records import RunFailed, RunFinished, RunStopped, StageMeasured
from bnviz.runs.workers.execute import run_any

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def study():
    return list(run_any(study_config("tiny", "losses")))


def encoded(records):
    encoder = StudyEncoder()
    started, *measured, ended = records
    return encoder.start(started), [encoder.frame(record) for record in measured], encoder.end(ended)


def test_all_messages_are_json_without_nan(study):
    for message in (lambda parts: [parts[0], *parts[1], parts[2]])(encoded(study)):
        json.dumps(message, allow_nan=False)


def test_every_frame_fills_every_chart_with_the_series_of_its_marks(study):
    start, frames, _ = encoded(study)
    for chart in start["charts"]:
        wanted = 1 + max(mark["series"] for mark in chart["marks"])
        assert all(len(series) == wanted for frame in frames for series in frame["charts"][chart["id"]].values())


def test_the_playback_bar_is_told_the_stage_and_the_step(study):
    _, frames, _ = encoded(study)
    assert frames[0]["at"] == "width 2 · step 0"
    assert frames[-1]["at"] == "random nets"
    assert frames[-1]["done"] == 1


def test_the_verdict_comes_when_its_stage_has_ended(study):
    _, frames, end = encoded(study)
    last = next(record.frame for record in study if isinstance(record, StageMeasured) and record.is_last)
    said = [frame["frame"] for frame in frames if "verdict" in frame["text"]]
    assert said == [last]
    assert end["verdict"] == frames[last]["text"]["verdict"]
    assert end["answer"] in ("lower", "higher")


def test_a_study_stopped_early_says_that_there_is_too_little(study):
    _, _, end = encoded([*study[:3], RunStopped(1, "Stopped by the visitor.")])
    assert (end["state"], end["verdict"], end["answer"]) == ("stopped", TOO_LITTLE, None)


def test_a_study_stopped_after_its_first_stage_says_what_it_knows(study):
    last = next(index for index, record in enumerate(study) if isinstance(record, StageMeasured) and record.is_last)
    _, _, end = encoded([*study[: last + 1], RunStopped(1, "")])
    assert end["answer"] in ("lower", "higher")


def test_a_study_that_fails_before_it_starts_has_no_verdict():
    end = StudyEncoder().end(RunFailed(0, "offline"))
    assert (end["state"], end["reason"], end["verdict"]) == ("failed", "offline", "")


def test_a_finished_study_without_a_verdict_says_nothing(study):
    end = StudyEncoder().end(RunFinished(3))
    assert end["answer"] is None
