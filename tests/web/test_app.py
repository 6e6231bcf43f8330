"""The whole application as it is started: by streamlit, by uvicorn, below a base path; and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
TINY = '{"steps": 20, "trials": 1, "arms": [{"depth": 1, "width": 4}]}'
LONG = '{"steps": 5000, "trials": 4, "seed": 9}'
JSON = {"content-type": "application/json"}
STREAMLIT = ("-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.port={port}", "--server.address=127.0.0.1")
UVICORN = ("-m", "uvicorn", "app:app", "--port={port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def app(
    arguments: tuple[str, ...], until: Callable, base: str = "", **environment: str
) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    port = free_port()
    command = [sys.executable, *(argument.format(port=port) for argument in arguments)]
    variables = {**os.environ, "BNVIZ_DATA_DIR": "", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", **environment}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with (
        subprocess.Popen(command, cwd=ROOT, env=variables, **quiet) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}{base}", timeout=START_SECONDS) as client,
    ):
        try:
            until(lambda: process.poll() is not None or answers(client), START_SECONDS)
            assert process.poll() is None, "the app did not start"
            yield process, client
        finally:
            process.kill()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/health").status_code == 200
    except httpx.TransportError:
        return False


def children(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def ended(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "base"),
    [(STREAMLIT, ""), (UVICORN, ""), ((*STREAMLIT, "--server.baseUrlPath=lab/bn"), "/lab/bn")],
    ids=["streamlit run", "uvicorn", "base path"],
)
def test_a_real_run_is_streamed_however_the_app_is_started(until, arguments, base):
    with app(arguments, until, base) as (_, client):
        created = client.post("/api/runs", content=TINY, headers=JSON).json()
        assert created["links"]["stream"].startswith(base + "/api/runs/")
        text = client.get(created["links"]["stream"].removeprefix(base), params={"panel": "explore"}).text
        assert "event: panel" in text
        assert "event: finished" in text
        assert client.get("/_stcore/health").text == "ok"
        assert "<title>" in client.get("/", headers={"sec-fetch-dest": "document"}).text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_app_ends_with_all_its_processes_while_a_stream_is_open(until, number):
    with app(STREAMLIT, until) as (process, client):
        created = client.post("/api/runs", content=LONG, headers=JSON).json()
        with client.stream("GET", created["links"]["stream"]) as stream:
            lines = stream.iter_lines()
            assert any(line == "event: frame" for line in lines)
            family = [psutil.Process(process.pid), *children(process)]
            assert len(family) >= 3, "the app, the launcher and a worker"
            process.send_signal(number)
            until(lambda: ended(family), 5)


def test_the_web_process_loads_no_torch():
    """Neither the app, nor what a page imports, nor encoding for a panel, nor a table."""
    script = """
import sys
import app, bnviz.web.api, bnviz.panels, bnviz.records.tables, bnviz.runs.service
for name in ("bnviz.ui.live_panel", "bnviz.config.presets", "bnviz.config.query"):
    __import__(name)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "sklearn")))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bad_setting_stops_the_start_with_one_line():
    variables = {**os.environ, "BNVIZ_MAX_WORKERS": "none"}
    done = subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    assert "BNVIZ_MAX_WORKERS: received none" in done.stderr
    assert "Traceback" not in done.stderr
