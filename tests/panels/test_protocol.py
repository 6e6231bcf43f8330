"""The protocol of the panel: what it takes and refuses, and that the server, the page and the JavaScript keep to it."""

import inspect
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from bnviz.charts import wire
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.panels import PANELS, protocol
from bnviz.panels.explore import ExploreEncoder
from bnviz.records.records import END_STATES, RunFailed, RunFinished, RunStopped
from bnviz.runs.journal import Feed
from bnviz.runs.status import LiveRun
from bnviz.ui import live_panel
from bnviz.web.sse import JsonEncoder, Subscriber, as_json
from tests.browser import made_up
from tests.charts.conftest import make_started, make_step
from tests.panels.events import Event, events_of, misfits, received
from tests.panels.replay import replay

ROOT = Path(__file__).parents[2]
PLANE = RunConfig(trials=2, steps=5, dataset=DatasetConfig(name="spirals"), extras=("decision_boundary",))
SIGMOID = RunConfig(trials=1, steps=5, arms=(ArmConfig(activation="sigmoid", depth=1), ArmConfig(depth=9, norm="batch")))
RUNS = {"race": RunConfig(trials=8, steps=5), "plane": PLANE, "sigmoid": SIGMOID}
ENDS = (RunFinished(3), RunStopped(3, "by the visitor"), RunFailed(0, "offline"))
FINISHED = {"state": "finished", "step": 5, "reason": "", "verdict": ""}


def events_of_run(config: RunConfig) -> list[Event]:
    """A run of whose arms one diverges, first a trial and then all."""
    lost = [{}, {(0, 0): 1}, {(0, trial): 2 for trial in range(config.trials)}]
    steps = [make_step(config, frame, diverged, grid=config is PLANE) for frame, diverged in enumerate(lost)]
    return events_of([make_started(config, plane=config is PLANE), *steps, RunFinished(5)], ExploreEncoder)


@pytest.mark.parametrize("name", RUNS)
def test_every_event_of_a_run_is_in_the_protocol_and_can_be_drawn(name: str, tmp_path: Path) -> None:
    events = events_of_run(RUNS[name])
    assert misfits(events) == []
    replay({name: events}, tmp_path)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("ended", ENDS, ids=lambda each: type(each).__name__)
def test_a_run_may_end_before_it_starts(panel: str, ended: Any) -> None:
    received(END_STATES[type(ended)], JsonEncoder(PANELS[panel]()).end(ended))


def test_what_the_server_says_by_itself_is_in_the_protocol() -> None:
    run = LiveRun(RunConfig())
    feed = Feed(JsonEncoder(ExploreEncoder()))
    feed.error = ValueError("cannot be drawn")
    told = Subscriber(run, feed, 0).take().decode()
    names = [part.split("\n")[0].removeprefix("event: ") for part in told.strip().split("\n\n")]
    assert names == ["status", "failed"]
    for name, part in zip(names, told.strip().split("\n\n"), strict=True):
        received(name, part.split("data: ")[1].encode())


def test_the_made_up_study_of_the_browser_tests_can_be_drawn(tmp_path: Path) -> None:
    events = [part.split("\n") for part in made_up.stream(arms=True, end=made_up.FINISHED).strip().split("\n\n")]
    sent = [{"event": name[7:], "data": json.loads(data[6:])} for name, data in events if name != "event: status"]
    assert misfits(sent) == []
    replay({"made up": sent}, tmp_path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_becomes_null_on_the_wire(value: float) -> None:
    frame = {"frame": 0, "step": 0, "text": {}, "charts": {"loss": {"": [[value, 1.0], [np.float64(value).item()]]}}}
    assert received("frame", as_json(frame))["data"]["charts"]["loss"][""] == [[None, 1.0], [None]]
    with pytest.raises(ValidationError):  # a share cannot be null
        received("frame", as_json({**frame, "done": value}))
    with pytest.raises(ValidationError):
        received("frame", json.dumps(frame).encode())  # an encoder that would let it through


@pytest.mark.parametrize(
    "wrong",
    [{"state": "halted"}, {"step": None}, {"step": "5"}, {"reason": None}, {"more": 1}, {"answer": 3}],
    ids=lambda each: str(next(iter(each.items()))),
)
def test_what_is_not_in_the_protocol_is_refused(wrong: dict[str, Any]) -> None:
    received("finished", as_json(FINISHED))
    with pytest.raises(ValidationError):
        received("finished", as_json(FINISHED | wrong))


@pytest.mark.parametrize("missing", FINISHED)
def test_what_is_left_out_is_missed(missing: str) -> None:
    with pytest.raises(ValidationError):
        received("finished", as_json({name: value for name, value in FINISHED.items() if name != missing}))


def spoilt(change: Any) -> list[str]:
    events = events_of_run(RUNS["plane"])
    change(events[1]["data"]["charts"])
    return misfits(events)


def test_series_that_no_mark_can_draw_are_found() -> None:
    assert spoilt(lambda charts: charts.pop("loss"))
    assert spoilt(lambda charts: charts["loss"].pop("train"))
    assert spoilt(lambda charts: charts["loss"]["train"].pop())
    assert spoilt(lambda charts: charts["loss"]["train"][0].pop())
    assert spoilt(lambda charts: charts["gradients"]["weight_grad_norm"].__setitem__(0, [1.0, 2.0, 3.0]))
    assert spoilt(lambda charts: charts["boundary"][""].__setitem__(0, "A?"))
    assert spoilt(lambda charts: charts["histograms"]["pre_norm"].__setitem__(0, [1]))


# --- what the page and the component say to each other


def test_the_component_is_given_the_data_of_the_protocol() -> None:
    prediction: protocol.Prediction = {"choices": {"higher": "Higher"}, "predicted": ""}
    data = live_panel._data("0" * 16, "explore", True, 1, prediction)
    TypeAdapter(protocol.Data).validate_json(as_json(data), strict=True)


def test_a_run_that_nobody_knows_has_an_end_in_slow_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_panel, "_state", lambda key: {"sent": 0, "before": 0, "resume": None})
    news = live_panel._news("0" * 16, "explore", "panel")
    assert news["end"]
    TypeAdapter(protocol.Slow).validate_json(as_json(news), strict=True)


def test_the_page_listens_to_every_message_of_the_component() -> None:
    heard = inspect.getsource(live_panel._mount)
    messages = [*get_type_hints(protocol.States), *get_type_hints(protocol.Triggers)]
    assert [name for name in messages if f"on_{name}_change=" not in heard] == []
    assert heard.count("_change=") == len(messages)


# --- the types that the JavaScript is checked against


def test_the_types_for_the_javascript_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_protocol.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_end_of_a_run_has_an_event() -> None:
    assert set(get_args(protocol.EndState)) == set(END_STATES.values())
    assert set(get_args(wire.Shape)) == {"line", "band", "range", "points", "flag", "ridge", "image", "columns"}
