"""A run service whose workers execute `fake_runs.run`."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.runs.service import RunService
from bnviz.runs.settings import ServerSettings
from bnviz.runs.workers.engine import LocalEngine

HERE = str(Path(__file__).parent)
WAIT_SECONDS = 15.0


class KeptEngine(LocalEngine):
    """Outlives the services of single tests, so that the launcher starts once."""

    def close(self) -> None:
        pass

    def really_close(self) -> None:
        super().close()


def wait_until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)
    return value


@pytest.fixture
def until() -> Callable[..., Any]:
    return wait_until


@pytest.fixture
def config() -> Callable[..., RunConfig]:
    """A tiny configuration whose worker behaves as `kind` says."""

    def build(kind: str = "plain", steps: int = 5, seed: int = 0) -> RunConfig:
        return RunConfig(arms=(ArmConfig(name=kind, depth=2, width=4),), trials=2, steps=steps, seed=seed)

    return build


@pytest.fixture(scope="session")
def kept_engine() -> Iterator[KeptEngine]:
    engine = KeptEngine(run="fake_runs:run", warm_up="", python_path=(HERE,))
    yield engine
    engine.really_close()


@pytest.fixture
def own_engine() -> Iterator[LocalEngine]:
    """A launcher that the test may harm."""
    engine = LocalEngine(run="fake_runs:run", warm_up="", python_path=(HERE,))
    yield engine
    engine.close()


@pytest.fixture
def make_service(kept_engine: KeptEngine) -> Iterator[Callable[..., RunService]]:
    services = []

    def make(engine: LocalEngine | None = None, **settings: Any) -> RunService:
        service = RunService(ServerSettings(**({"data_dir": "", "max_workers": 2} | settings)), engine or kept_engine)
        services.append(service)
        return service

    yield make
    for service in services:
        service.close()


@pytest.fixture
def finish(until: Callable[..., Any]) -> Callable[..., Any]:
    """Submit and wait for the end; returns the last status."""

    def run(service: RunService, config: RunConfig, seconds: float = WAIT_SECONDS) -> Any:
        run_id = service.submit(config).id
        until(lambda: service.live(run_id).over and service.journal(run_id).ended, seconds)
        return service.status(run_id)

    return run
