"""Starting, sharing, limiting and ending runs, with real worker processes."""

import logging
import os
import signal
import threading
import time

import psutil
import pytest

from bnviz.config.ceilings import CostTooHigh
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.records.records import RunFinished, RunStarted, RunStopped, StepMeasured
from bnviz.runs import limits
from bnviz.runs.service import QueueFull, UnknownRun
from bnviz.runs.settings import ServerSettings
from bnviz.runs.status import LiveRun


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_yields_its_records_in_order(make_service, config, finish):
    service = make_service()
    status = finish(service, config(steps=5))
    assert (status.state, status.frames, status.step, status.reason) == ("finished", 6, 5, None)
    records = list(service.journal(status.id))
    assert [type(record) for record in records] == [RunStarted, *[StepMeasured] * 6, RunFinished]
    assert [record.frame for record in records[1:-1]] == [0, 1, 2, 3, 4, 5]
    assert records[0].config == config(steps=5)


def test_equal_configurations_share_one_run(make_service, config, finish):
    service = make_service()
    first = service.submit(config("slow", steps=40))
    again = service.submit(config("slow", steps=40))
    assert first.id == again.id
    assert service.counts()["workers_busy"] == 1
    assert not again.cached
    finish(service, config("slow", steps=40))
    journal = service.journal(first.id)
    assert service.submit(config("slow", steps=40)).cached
    assert service.journal(first.id) is journal


def test_other_seeds_are_other_runs(make_service, config):
    service = make_service()
    assert service.submit(config(seed=1)).id != service.submit(config(seed=2)).id


def test_stop_ends_the_run_and_its_worker(make_service, config, until):
    service = make_service()
    run_id = service.submit(config("slow", steps=2000)).id
    until(lambda: service.journal(run_id).frame_count > 3)
    pid = service.live(run_id).worker.pid
    status = service.stop(run_id)
    assert status.state == "stopped"
    assert isinstance(service.journal(run_id).ended, RunStopped)
    until(lambda: gone(pid), 2)
    until(lambda: service.counts()["workers_busy"] == 0)
    frames = service.journal(run_id).frame_count
    assert service.stop(run_id).state == "stopped"
    assert service.journal(run_id).frame_count == frames


def test_a_stopped_run_starts_again_when_it_is_submitted(make_service, config, finish):
    service = make_service()
    first = service.submit(config("slow", steps=10))
    old = service.journal(first.id)
    service.stop(first.id)
    status = finish(service, config("slow", steps=10))
    assert status.state == "finished"
    assert service.journal(first.id) is not old
    assert isinstance(old.ended, RunStopped)


def test_stop_while_the_worker_is_starting(make_service, config, until):
    service = make_service()
    status = service.submit(config("slow", steps=2000))
    assert service.stop(status.id).state == "stopped"
    until(lambda: service.counts()["workers_busy"] == 0)
    assert service.status(status.id).state == "stopped"


def test_a_worker_that_raises_fails_the_run_in_plain_words(make_service, config, finish, caplog):
    caplog.set_level(logging.ERROR, "bnviz.runs")
    status = finish(make_service(), config("crash"))
    assert (status.state, status.frames) == ("failed", 2)
    assert "the numbers are tired" in status.reason
    assert "Traceback" not in status.reason
    assert "in _misbehave" in caplog.text, "the worker's own traceback is logged"


def test_a_worker_without_memory_says_what_to_lower(make_service, config, finish):
    assert "memory" in finish(make_service(), config("memory")).reason


def test_a_worker_killed_from_outside_is_reported_within_two_seconds(make_service, config, until):
    service = make_service()
    run_id = service.submit(config("slow", steps=2000)).id
    until(lambda: service.journal(run_id).frame_count > 3)
    killed_at = time.monotonic()
    os.kill(service.live(run_id).worker.pid, signal.SIGKILL)
    until(lambda: service.status(run_id).state == "failed", 2)
    assert time.monotonic() - killed_at < 2
    assert "signal 9" in service.status(run_id).reason
    until(lambda: service.counts()["workers_busy"] == 0)
    assert service.submit(config("slow", steps=2000)).state == "running", "it can be run again"


@pytest.mark.parametrize(("kind", "words"), [("exits", "exit status 7"), ("kills itself", "signal 9"), ("endless", "how")])
def test_a_worker_that_ends_early_is_a_failure(make_service, config, finish, kind, words):
    status = finish(make_service(), config(kind))
    assert status.state == "failed"
    assert words in status.reason


def test_a_frame_out_of_order_fails_the_run(make_service, config, finish):
    status = finish(make_service(), config("skips"))
    assert status.state == "failed"
    assert status.frames == 3


def test_the_time_limit_stops_a_run(make_service, config, finish):
    status = finish(make_service(run_seconds=1), config("slow", steps=2000))
    assert status.state == "stopped"
    assert "time limit of 1 seconds" in status.reason
    assert status.frames > 3


def test_a_stuck_worker_is_ended(make_service, config, until):
    service = make_service(stuck_seconds=0.5)
    run_id = service.submit(config("stuck")).id
    pid = until(lambda: service.live(run_id).worker).pid
    until(lambda: service.status(run_id).state == "failed")
    assert "did not respond" in service.status(run_id).reason
    until(lambda: gone(pid), 2)


def test_a_worker_that_ignores_sigterm_is_killed(make_service, config, until):
    service = make_service()
    run_id = service.submit(config("stubborn")).id
    until(lambda: service.journal(run_id).frame_count == 2)
    pid = service.live(run_id).worker.pid
    service.stop(run_id)
    until(lambda: gone(pid), 4)
    until(lambda: service.counts()["workers_busy"] == 0)


def test_the_queue_is_first_in_first_out_and_tells_positions(make_service, config, until):
    service = make_service(max_workers=1, queue_size=3)
    ids = [service.submit(config("slow", steps=20, seed=seed)).id for seed in range(4)]
    assert [service.status(i).queue_position for i in ids] == [None, 1, 2, 3]
    with pytest.raises(QueueFull) as refused:
        service.submit(config("slow", steps=20, seed=9))
    assert refused.value.retry_after > 0
    assert service.submit(config("slow", steps=20, seed=3)).id == ids[3], "a queued run can be joined when the queue is full"
    service.stop(ids[2])
    assert [service.status(i).queue_position for i in ids] == [None, 1, None, 2]
    seen = []
    while any(not service.live(i).over for i in ids):
        seen += [i for i in ids if service.status(i).state == "running" and i not in seen]
        time.sleep(0.005)
    assert seen == [ids[0], ids[1], ids[3]]
    assert service.counts()["queued"] == 0


def test_never_more_workers_than_allowed(make_service, config, until):
    service = make_service(max_workers=2)
    ids = [service.submit(config("slow", steps=10, seed=seed)).id for seed in range(5)]
    most = 0
    while any(not service.live(i).over for i in ids):
        most = max(most, sum(service.status(i).state == "running" for i in ids))
        time.sleep(0.005)
    assert most == 2


def test_an_unwatched_run_is_stopped_and_a_watched_one_goes_on(make_service, config, until):
    service = make_service(unwatched_seconds=0.5)
    lonely = service.submit(config("slow", steps=500, seed=1)).id
    watched = service.submit(config("slow", steps=500, seed=2)).id
    with service.watch(watched):
        until(lambda: service.live(lonely).over)
        assert "nobody watched" in service.live(lonely).reason
        assert not service.live(watched).over
    until(lambda: service.live(watched).over)


def test_asking_for_the_status_counts_as_watching(make_service, config, until):
    service = make_service(unwatched_seconds=0.5)
    run_id = service.submit(config("slow", steps=60)).id  # more than a second
    until(lambda: service.status(run_id).state != "running")
    assert service.status(run_id).state == "finished"


def test_a_run_that_costs_too_much_is_refused(make_service):
    arm = ArmConfig(width=512, depth=100)
    with pytest.raises(CostTooHigh, match="lower"):
        make_service().submit(RunConfig(arms=(arm,) * 6, trials=32, steps=5000))


def test_a_run_with_too_many_bytes_is_stopped(make_service, finish):
    arms = tuple(ArmConfig(depth=100, width=4) for _ in range(3))
    status = finish(make_service(run_mb=1), RunConfig(arms=arms, trials=8, steps=500))
    assert status.state == "stopped"
    assert "1 MB" in status.reason


def test_ended_runs_are_forgotten_beyond_the_bound(make_service, config, finish, until, monkeypatch):
    service = make_service(trace_mb=0)
    ids = [finish(service, config(seed=seed)).id for seed in range(2)]
    assert [service.status(i).state for i in ids] == ["finished"] * 2, "one that was just asked for stays"
    with service.watch(ids[0]):
        monkeypatch.setattr(limits, "KEEP_SECONDS", 0.0)
        until(lambda: service._known.held(ids[1]) is None)
        assert service.status(ids[0]).state == "finished", "one that somebody watches stays"
    until(lambda: service._known.held(ids[0]) is None)
    with pytest.raises(UnknownRun):
        service.status(ids[0])


def test_the_least_recently_used_runs_are_forgotten_first():
    runs = [LiveRun(RunConfig(seed=seed)) for seed in range(4)]
    for run in runs:
        run.state, run.ended_at = "finished", run.watched_at
        run.journal.record_bytes = limits.MEGABYTE
    later = runs[0].watched_at + 2 * limits.KEEP_SECONDS
    runs[1].watched_at = later
    assert limits.forgettable(runs, ServerSettings(trace_mb=4), later) == []
    assert limits.forgettable(runs, ServerSettings(trace_mb=2), later) == [runs[0], runs[2]]


def test_many_threads_submit_the_same_run_once(make_service, config):
    service, ids, barrier = make_service(), [], threading.Barrier(8)

    def submit() -> None:
        barrier.wait()
        ids.append(service.submit(config("slow", steps=50)).id)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert service.counts()["workers_busy"] == 1


def test_a_data_set_that_is_missing_is_told_as_it_is(make_service, config, finish):
    status = finish(make_service(), config("unavailable"))
    assert (status.state, status.frames) == ("failed", 0)
    assert status.reason == "The data set is not on this machine, which is offline."


def test_closing_ends_what_runs_and_what_waits(make_service, config, until):
    service = make_service(max_workers=1)
    ids = [service.submit(config("slow", steps=2000, seed=seed)).id for seed in range(3)]
    until(lambda: service.journal(ids[0]).frame_count)
    pid = service.live(ids[0]).worker.pid
    service.close()
    assert [service.live(i).state for i in ids] == ["stopped"] * 3
    until(lambda: gone(pid), 2)
    assert service.counts()["queued"] == 0
    service.start()
    again = service.submit(config(seed=7)).id  # as when a server starts again in this process
    until(lambda: service.status(again).state == "finished")


def test_unknown_runs(make_service):
    service = make_service()
    for ask in (service.status, service.stop, service.journal):
        with pytest.raises(UnknownRun):
            ask("0" * 16)
