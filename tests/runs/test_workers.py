"""Worker processes: what they are, what they do not load, and that none is left behind."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.records.records import RunStarted
from bnviz.runs.workers.engine import EngineUnavailable, LocalEngine
from bnviz.runs.workers.worker import NICENESS, plain_reason

ROOT = Path(__file__).parents[2]
OWNER = """
import sys, time
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.runs.workers.engine import LocalEngine
from bnviz.runs.service import RunService
from bnviz.runs.settings import ServerSettings
engine = LocalEngine(run="fake_runs:run", warm_up="", python_path=(sys.argv[1],))
service = RunService(ServerSettings(data_dir="", max_workers=2), engine)
ids = [service.submit(RunConfig(arms=(ArmConfig(name=kind),), trials=1, steps=4000)).id for kind in ("slow", "stubborn")]
while any(service.journal(i).frame_count < 2 for i in ids):
    time.sleep(0.01)
print(engine.launcher_pid, *(service.live(i).worker.pid for i in ids), flush=True)
time.sleep(60)
"""
RUN_HERE = """
import hashlib, sys
from bnviz.config.models import RunConfig
from bnviz.training.run import run
from bnviz.records.codec import encode
config = RunConfig.model_validate_json(sys.argv[1])
print(hashlib.sha256(b"".join(map(encode, run(config)))).hexdigest())
"""


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_worker_knows_no_streamlit_and_no_page(make_service, config, finish, monkeypatch):
    """Streamlit puts the page in `sys.modules["__main__"]`; a worker's `__main__` is the launcher all the same."""
    page = type(sys)("__main__")
    page.__file__ = "/page.py"
    monkeypatch.setitem(sys.modules, "__main__", page)
    service = make_service()
    started = service.journal(finish(service, config(seed=77)).id)[0]
    assert isinstance(started, RunStarted)
    assert started.versions["streamlit"] == "False"
    assert Path(started.versions["main"]).name == "launcher.py"


def test_a_worker_steps_back_for_the_web_process(make_service, config, until):
    service = make_service()
    run_id = service.submit(config("slow", steps=2000)).id
    until(lambda: service.journal(run_id).frame_count)
    assert psutil.Process(service.live(run_id).worker.pid).nice() == psutil.Process().nice() + NICENESS


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers end at the next record that they cannot send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_owner_goes(number, until):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(Path(__file__).parent)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 3
        assert not any(gone(pid) for pid in pids)
        owner.send_signal(number)
        until(lambda: all(gone(pid) for pid in pids), 2)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_a_dead_launcher_fails_its_runs_and_is_started_again(make_service, own_engine, config, finish, until):
    service = make_service(own_engine)
    run_id = service.submit(config("slow", steps=2000)).id
    until(lambda: service.journal(run_id).frame_count)
    worker = service.live(run_id).worker.pid
    os.kill(own_engine.launcher_pid, signal.SIGKILL)
    until(lambda: service.status(run_id).state == "failed", 2)
    until(lambda: gone(worker), 2)
    assert finish(service, config()).state == "finished"


def test_a_launcher_that_cannot_start_fails_the_run_with_the_reason(make_service, config, finish, capfd):
    engine = LocalEngine(run="no_such_module:run", warm_up="")
    try:
        status = finish(make_service(engine), config())
    finally:
        engine.close()
    assert status.state == "failed"
    assert "worker process" in status.reason
    assert "no_such_module" in capfd.readouterr().err


def test_an_engine_that_was_closed_leaves_no_launcher(own_engine, until):
    own_engine.start()
    pid = own_engine.launcher_pid
    own_engine.close()
    assert gone(pid)
    assert own_engine.request(b"K", 1) == -1
    assert issubclass(EngineUnavailable, RuntimeError)


def test_closing_does_not_wait_for_a_launcher_that_is_starting(make_service, config, until):
    engine = LocalEngine(run="fake_runs:run", warm_up="fake_runs:dawdle", python_path=(str(Path(__file__).parent),))
    service = make_service(engine)
    service.submit(config())
    pid = until(lambda: engine.launcher_pid)
    closing = threading.Thread(target=service.close)
    closing.start()
    closing.join(8)
    assert not closing.is_alive()
    assert gone(pid)


def test_a_worker_can_only_signal_its_own_children(kept_engine, make_service):
    kept_engine.start()
    assert kept_engine.request(b"K", os.getpid()) == -1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "more memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."), "more memory"),
        (OSError(12, "Cannot allocate memory"), "more memory"),
        (ValueError("a\nb"), "ValueError: a b"),
        (type("DatasetUnavailable", (Exception,), {})("No connection."), "No connection."),
        (RuntimeError(), "RuntimeError"),
        (RuntimeError("x" * 1000), "xxx"),
    ],
)
def test_reasons_are_one_short_line(error, reason):
    text = plain_reason(error)
    assert reason in text
    assert "\n" not in text
    assert len(text) < 300


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no bound is kept")
def test_a_run_that_takes_too_much_memory_fails_in_words_and_alone(make_service, config, finish):
    engine = LocalEngine(run="fake_runs:run", warm_up="", python_path=(str(Path(__file__).parent),), worker_mb=1024)
    try:
        service = make_service(engine)
        status = finish(service, config("greedy"))
        assert status.state == "failed"
        assert "more memory than there is" in status.reason
        assert finish(service, config()).state == "finished"
    finally:
        engine.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no bound is kept")
def test_a_real_run_is_held_to_its_memory(make_service, finish):
    arms = (ArmConfig(norm="batch", depth=4, width=512),)  # takes 500 MB
    engine = LocalEngine(worker_mb=128)
    try:
        service = make_service(engine)
        status = finish(service, RunConfig(arms=arms, trials=24, steps=2), 60)
        assert status.state == "failed"
        assert "more memory than there is" in status.reason
        assert finish(service, RunConfig(arms=(ArmConfig(depth=2, width=8),), trials=2, steps=20), 60).state == "finished"
    finally:
        engine.close()


@pytest.mark.slow
def test_a_real_run_gives_the_same_records_in_a_worker(make_service, finish):
    """The page and the command line give the same numbers."""
    config = RunConfig(arms=(ArmConfig(depth=2, width=8), ArmConfig(norm="batch", depth=2, width=8)), trials=2, steps=20)
    engine = LocalEngine()
    service = make_service(engine)
    status = finish(service, config, 60)
    assert status.state == "finished", status.reason
    in_worker = hashlib.sha256(b"".join(service.journal(status.id).payloads)).hexdigest()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", RUN_HERE, config.model_dump_json()]
    here = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert in_worker == here.stdout.strip()
