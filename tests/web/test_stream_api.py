"""The event stream: order, resuming, ends, pings; over a real server."""

import json
import threading

import pytest

from bnviz.panels import PANELS
from bnviz.web import sse


def frames(found) -> list[int]:
    return [event.data["frame"] for event in found if event.name == "frame"]


def names(found) -> list[str]:
    """Names in their order, without statuses and without repeated frames."""
    short: list[str] = []
    for event in found:
        if event.name != "status" and (event.name != "frame" or short[-1:] != ["frame"]):
            short.append(event.name)
    return short


def test_a_run_from_status_to_finished(server, config):
    run_id = server.submit(config("slow", steps=10))
    found = server.events(run_id)
    assert found[0].name == "status"
    assert found[0].data == {"state": "running", "queue_position": None, "cached": False}
    assert frames(found) == list(range(11))
    assert [event.id for event in found if event.name == "frame"] == [str(n) for n in range(11)]
    assert all(event.id is None for event in found if event.name != "frame")
    assert names(found) == ["panel", "frame", "finished"]
    assert found[-1].name == "finished"
    assert found[-1].data == {"step": 10}


def test_headers_keep_proxies_and_caches_away(server, config):
    with server.client.stream("GET", f"/runs/{server.submit(config())}/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-length" not in response.headers
        assert "retry:" in response.read().decode()


def test_a_replay_is_the_same_and_says_that_it_is_cached(server, config, until):
    run_id = server.submit(config("slow", steps=5))
    live = server.events(run_id)
    replay = server.events(run_id)
    assert replay[0].data == {"state": "finished", "queue_position": None, "cached": True}

    def without_status(found):
        return [(event.name, event.id, event.data) for event in found if event.name != "status"]

    assert without_status(replay) == without_status(live)


@pytest.mark.parametrize(("kind", "last"), [("plain", "finished"), ("crash", "failed"), ("exits", "failed")])
def test_the_last_event_says_how_the_run_ended(server, config, kind, last):
    found = server.events(server.submit(config(kind)))
    assert found[-1].name == last
    assert [event.name for event in found if event.name in ("finished", "stopped", "failed")] == [last]
    if last == "failed":
        assert found[-1].data["reason"]


def test_a_stopped_run_ends_its_streams(server, config):
    run_id = server.submit(config("slow", steps=500))
    found = []
    with server.stream(run_id) as stream:
        for event in stream:
            found.append(event)
            if event.name == "frame" and event.id == "3":
                server.client.delete(f"/runs/{run_id}")
    assert found[-1].name == "stopped"
    assert found[-1].data["reason"]


def test_reconnecting_in_mid_run_loses_and_doubles_nothing(server, config):
    """The client drops the connection after every few frames, wherever the server's writes happen to be cut."""
    run_id = server.submit(config("slow", steps=60))
    seen, last_id, connections, ended = [], None, 0, False
    while not ended:
        connections += 1
        headers = {"last-event-id": last_id} if last_id is not None else None
        with server.stream(run_id, headers) as stream:
            panels = 0
            for count, event in enumerate(stream):
                panels += event.name == "panel"
                ended = event.name == "finished"
                if event.name == "frame":
                    seen.append(event.data["frame"])
                    last_id = event.id
                if count >= 3 + connections % 4:
                    break
            assert panels == 1, "the skeleton is sent on resume too"
    assert seen == list(range(61))
    assert connections > 5


def test_after_resumes_like_the_header_and_the_header_wins(server, config, until):
    run_id = server.submit(config(steps=9))
    until(lambda: server.service.live(run_id).over)
    assert frames(server.events(run_id, after=6)) == [7, 8, 9]
    assert frames(server.events(run_id, after=-1)) == list(range(10))
    assert frames(server.events(run_id, {"last-event-id": "8"}, after=2)) == [9]
    ahead = server.events(run_id, after=9)
    assert frames(ahead) == []
    assert ahead[-1].name == "finished"


def test_late_subscribers_start_at_the_first_frame(server, config, until):
    run_id = server.submit(config("slow", steps=40))
    until(lambda: server.service.journal(run_id).frame_count > 10)
    assert frames(server.events(run_id)) == list(range(41))


def test_many_subscribers_share_the_encoding(server, config):
    run_id = server.submit(config("slow", steps=20))
    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(frames(server.events(run_id)))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(21))] * 12
    assert len(server.service.journal(run_id)._feeds) == 1


def test_a_run_streams_to_its_panel_and_is_refused_to_that_of_experiments(server, config):
    run_id = server.submit(config(steps=4))
    found = server.events(run_id, panel="explore")
    assert names(found) == ["panel", "frame", "finished"]
    assert frames(found) == [0, 1, 2, 3, 4]
    refused = server.client.get(f"/runs/{run_id}/stream", params={"panel": "study"})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["allowed"] == "study for an experiment, explore for a run"


@pytest.mark.parametrize("panel", ["", "explore"])
def test_a_run_that_fails_before_it_starts_says_why(server, config, panel):
    found = server.events(server.submit(config("unavailable")), **({"panel": panel} if panel else {}))
    assert names(found) == ["failed"]
    assert "offline" in found[-1].data["reason"]


def test_a_panel_that_breaks_ends_the_stream(server, config, monkeypatch, caplog):
    class Broken:
        def start(self, record):
            raise ValueError("no figure")

    monkeypatch.setitem(PANELS, "broken", Broken)
    found = server.events(server.submit(config()), panel="broken")
    assert names(found) == ["failed"]
    assert "draw" in found[-1].data["reason"]
    assert "no figure" in caplog.text


def test_a_live_stream_tells_the_end_only_once_and_last(server, config):
    found = server.events(server.submit(config("slow", steps=10)))
    assert "finished" not in [event.data.get("state") for event in found if event.name == "status"]


def test_bad_parameters_are_refused(server, config):
    run_id = server.submit(config())
    answer = server.client.get(f"/runs/{run_id}/stream", params={"panel": "nothing"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["received"] == "nothing"
    assert server.client.get(f"/runs/{run_id}/stream", params={"after": "x"}).status_code == 422
    for bad in ("x", "-1", "1.5", "9" * 50, "²"):
        answer = server.client.get(f"/runs/{run_id}/stream", headers={"last-event-id": bad.encode()})
        assert answer.status_code == 422, bad


def test_the_queue_position_is_told_as_it_changes(make_server, config):
    server = make_server(max_workers=1)
    blocker = server.submit(config("slow", steps=500, seed=1))
    middle = server.submit(config("slow", steps=500, seed=2))
    last = server.submit(config(seed=3))
    positions = []
    with server.stream(last) as stream:
        for event in stream:
            if event.name == "status":
                positions.append((event.data["state"], event.data["queue_position"]))
                {("queued", 2): lambda: server.service.stop(middle), ("queued", 1): lambda: server.service.stop(blocker)}.get(
                    positions[-1], lambda: None
                )()
    assert positions[:3] == [("queued", 2), ("queued", 1), ("running", None)]


def test_a_client_that_leaves_stops_watching(server, config, until):
    run_id = server.submit(config("slow", steps=500))
    with server.stream(run_id) as stream:
        next(stream)
        assert server.service.live(run_id).watchers == 1
    until(lambda: server.service.live(run_id).watchers == 0, 3)


def test_a_quiet_stream_is_pinged(make_server, config, monkeypatch):
    monkeypatch.setattr(sse, "PING_SECONDS", 0.1)
    server = make_server()
    run_id = server.submit(config("stuck"))
    with server.client.stream("GET", f"/runs/{run_id}/stream") as response:
        pings = 0
        for line in response.iter_lines():
            pings += line == ": ping"
            if pings == 3:
                break
    assert pings == 3


def test_numbers_that_are_none_become_null():
    assert (
        sse.framed("frame", sse.as_json({"a": float("nan"), "b": [float("inf")]}), 3)
        == b'event: frame\nid: 3\ndata: {"a":null,"b":[null]}\n\n'
    )


def test_line_breaks_cannot_forge_events():
    text = sse.framed("failed", sse.as_json({"reason": "a\n\nevent: finished\ndata: {}\n\n"})).decode()
    assert text.count("\n\n") == 1
    assert json.loads(text.partition("data: ")[2]) == {"reason": "a\n\nevent: finished\ndata: {}\n\n"}
