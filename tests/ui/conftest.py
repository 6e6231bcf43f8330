"""Pages run in this process over a real run service whose workers never say anything."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnviz.config.models import RunConfig
from bnviz.runs.service import RunService, set_service
from bnviz.runs.settings import ServerSettings

ROOT = Path(__file__).parents[2]


class SilentWorker:
    """Runs until it is told to stop."""

    def __init__(self) -> None:
        self.told = threading.Event()

    def messages(self) -> Iterator[bytes]:
        self.told.wait()
        yield from ()

    def terminate(self) -> None:
        self.told.set()

    kill = terminate

    def wait(self) -> str:
        return ""


class SilentEngine:
    """Starts silent workers and remembers for which configurations."""

    def __init__(self) -> None:
        self.launched: list[RunConfig] = []
        self.workers: list[SilentWorker] = []

    def start(self) -> None: ...

    def launch(self, config: RunConfig) -> SilentWorker:
        self.launched.append(config)
        self.workers.append(SilentWorker())
        return self.workers[-1]

    def close(self) -> None:
        for worker in self.workers:
            worker.terminate()


@pytest.fixture
def service() -> Iterator[RunService]:
    """The process's service, for the time of a test: two workers and one place in the queue."""
    settings = ServerSettings(max_workers=2, queue_size=1, data_dir="")
    service = RunService(settings, SilentEngine())
    set_service(service)
    yield service
    service.close()
    set_service(RunService(settings))


@pytest.fixture
def open_page(service: RunService) -> Callable[..., AppTest]:
    """Open the app with a query, as a visitor of a link does."""

    def open_page(**query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "index.py"), default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return open_page
