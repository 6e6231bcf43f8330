"""What the end of a run is called: said in one place, and the same by everyone who says it."""

from typing import get_args

import pytest

from bnviz.config.models import RunConfig
from bnviz.panels import PANELS
from bnviz.panels.explore import ExploreEncoder
from bnviz.records.records import END_STATES, RunEnded, RunFinished, RunStarted, RunStopped
from bnviz.runs.journal import Feed
from bnviz.runs.recording import Trace
from bnviz.runs.status import LiveRun
from bnviz.web.sse import JsonEncoder, Subscriber

STARTED = RunStarted("0" * 16, RunConfig(), (("w",),) * 2, (("b",),) * 2, (), 64, 10, None, {})


def test_every_end_has_a_name_of_its_own():
    assert set(END_STATES) == set(get_args(RunEnded))
    assert len(set(END_STATES.values())) == len(END_STATES)
    assert not set(END_STATES.values()) & {LiveRun(RunConfig()).state, "running"}


@pytest.fixture
def halted(monkeypatch):
    """The end of a run that was stopped, under a name that nobody can have written down elsewhere."""
    monkeypatch.setitem(END_STATES, RunStopped, "halted")
    return RunStopped(3, "by the visitor")


@pytest.mark.parametrize("panel", PANELS)
def test_panels_say_what_the_records_say(halted, panel):
    assert PANELS[panel]().end(halted)["state"] == "halted"
    assert PANELS[panel]().end(RunFinished(3))["state"] == "finished"


def test_streams_say_what_the_records_say(halted):
    run, feed = LiveRun(RunConfig()), Feed(JsonEncoder(ExploreEncoder()))
    run.journal.append(halted)
    feed.pump(run.journal)
    assert b"\n\nevent: halted\ndata: {" in Subscriber(run, feed, 0).take()


def test_recordings_say_what_the_records_say(halted):
    trace = Trace(RunConfig())
    trace.add(STARTED)
    assert trace.summary["state"] == "running"
    trace.add(halted)
    assert trace.summary["state"] == "halted"
