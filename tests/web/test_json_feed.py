"""Feeds hold JSON: the stream frames it as events, slow mode reads it as it is."""

import json
import re
from pathlib import Path

import pytest

import bnviz
from bnviz.config.models import RunConfig
from bnviz.records.records import RunFinished, RunStarted, StepMeasured
from bnviz.runs.journal import Feed
from bnviz.runs.status import LiveRun
from bnviz.web.sse import JsonEncoder, RecordsAsJson, Subscriber

STARTED = RunStarted("0" * 16, RunConfig(), (), (), (), 64, 10, None, {})


@pytest.fixture
def run() -> LiveRun:
    run = LiveRun(RunConfig())
    for record in (STARTED, StepMeasured(0, 0, ()), StepMeasured(1, 4, ()), RunFinished(4)):
        run.journal.append(record)
    run.state = "finished"
    return run


@pytest.fixture
def feed(run: LiveRun) -> Feed:
    feed = Feed(JsonEncoder(RecordsAsJson()))
    feed.pump(run.journal)
    return feed


def test_a_feed_holds_the_json_and_nothing_else(feed: Feed) -> None:
    assert feed.start is not None
    assert feed.end is not None
    assert json.loads(feed.start)["run_id"] == "0" * 16
    assert [json.loads(frame) for frame in feed.frames] == [
        {"frame": 0, "step": 0, "arms": []},
        {"frame": 1, "step": 4, "arms": []},
    ]
    assert json.loads(feed.end) == {"step": 4}
    assert feed.bytes == sum(map(len, (feed.start, *feed.frames, feed.end)))


def test_the_stream_frames_each_json_once(run: LiveRun, feed: Feed) -> None:
    sent = Subscriber(run, feed, 1).take()
    assert feed.start is not None
    assert feed.end is not None
    status = b'event: status\ndata: {"state":"finished","queue_position":null,"cached":true}\n\n'
    panel = b"event: panel\ndata: " + feed.start + b"\n\n"
    frame = b"event: frame\nid: 1\ndata: " + feed.frames[1] + b"\n\n"
    assert sent == status + panel + frame + b"event: finished\ndata: " + feed.end + b"\n\n"


def test_only_the_stream_knows_how_events_are_framed() -> None:
    folder = Path(bnviz.__file__).parent
    framing = re.compile(r"""data: ["%]""")
    knowing = [file.relative_to(folder).as_posix() for file in folder.rglob("*.py") if framing.search(file.read_text())]
    assert knowing == ["web/sse.py"]
