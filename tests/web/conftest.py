"""The API on a real server, with workers that execute `tests/runs/fake_runs.py`."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.runs.service import RunService
from bnviz.runs.settings import ServerSettings
from bnviz.runs.workers.engine import LocalEngine
from bnviz.web.api import build_api

FAKES = str(Path(__file__).parents[1] / "runs")
WAIT_SECONDS = 15.0


def wait_until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)
    return value


@pytest.fixture
def until() -> Callable[..., Any]:
    return wait_until


class KeptEngine(LocalEngine):
    """Outlives the services of single tests, so that the launcher starts once."""

    def close(self) -> None:
        pass

    def really_close(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def kept_engine() -> Iterator[KeptEngine]:
    engine = KeptEngine(run="fake_runs:run", warm_up="", python_path=(FAKES,))
    yield engine
    engine.really_close()


class Server:
    """A uvicorn server in a thread, its service and a client."""

    def __init__(self, engine: LocalEngine, settings: dict[str, Any]) -> None:
        self.service = RunService(ServerSettings(**({"data_dir": "", "max_workers": 2} | settings)), engine)
        self.app = FastAPI()
        self.api = build_api(lambda: self.service)
        self.app.mount("/api", self.api)
        self._server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_level="warning", lifespan="off"))
        self.loop_thread = threading.Thread(target=self._server.run)
        self.loop_thread.start()
        wait_until(lambda: self._server.started)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        self.client = httpx.Client(base_url=self.url + "/api", timeout=WAIT_SECONDS)

    def close(self) -> None:
        self.client.close()
        self.service.close()
        self._server.should_exit = True
        self.loop_thread.join(WAIT_SECONDS)
        assert not self.loop_thread.is_alive(), "the server waits for something"

    def submit(self, config: RunConfig) -> str:
        answer = self.client.post("/runs", content=config.model_dump_json(), headers={"content-type": "application/json"})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    @contextlib.contextmanager
    def stream(self, run_id: str, headers: dict[str, str] | None = None, **parameters: Any) -> Iterator[Iterator["Event"]]:
        with self.client.stream("GET", f"/runs/{run_id}/stream", params=parameters, headers=headers) as response:
            assert response.status_code == 200, response.read()
            yield events(response.iter_lines())

    def events(self, run_id: str, headers: dict[str, str] | None = None, **parameters: Any) -> list["Event"]:
        """All events until the stream ends by itself."""
        with self.stream(run_id, headers, **parameters) as found:
            return list(found)


class Event:
    """One event as a browser would see it."""

    def __init__(self, name: str, data: dict[str, Any], id: str | None) -> None:
        self.name, self.data, self.id = name, data, id


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Read a stream by the rules of the HTML standard, independently of how it was written."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
            fields = {}
        else:
            fields = {}


@pytest.fixture
def make_server(kept_engine: KeptEngine) -> Iterator[Callable[..., Server]]:
    servers = []

    def make(**settings: Any) -> Server:
        servers.append(Server(kept_engine, settings))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()


@pytest.fixture
def config() -> Callable[..., RunConfig]:
    """A tiny configuration whose worker behaves as `kind` says."""

    def build(kind: str = "plain", steps: int = 5, seed: int = 0) -> RunConfig:
        return RunConfig(arms=(ArmConfig(name=kind, depth=2, width=4),), trials=2, steps=steps, seed=seed)

    return build
