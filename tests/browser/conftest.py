"""The real app in a real browser: a server on a free port with its own data folder, Chromium, and a driver of the panel."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser import made_up

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
CONNECTED = "[data-testid=stApp][data-test-connection-state=CONNECTED]"
PANEL = ".bnv-panel"
HALF_A_MINUTE = "/?steps=5000&trials=4&measure_every=20&arms.0.depth=12&arms.1.depth=12&seed={seed}"  # of training


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All browser tests in one worker: they share one server and one Chromium."""
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.browser)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class App:
    """A running server."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serving(folder: Path, port: int | None = None, **environment: str) -> Iterator[App]:
    """Start the app as a visitor of the README does, and end it with everything it started."""
    port = port or free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"]
    env = {**os.environ, "BNVIZ_DATA_DIR": str(folder / "data"), "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none", **environment}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
    app = App(f"http://127.0.0.1:{port}", folder / "data", process, log)
    try:
        _await_health(app)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_health(app: App) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert app.process.poll() is None, f"the server ended:\n{app.log.read_text()}"
        try:
            urllib.request.urlopen(f"{app.url}/api/health", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not answer within {START_SECONDS} s:\n{app.log.read_text()}")


def chromium_path() -> str | None:
    """The browser to drive: the one named in CHROMIUM, else an installed one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with its live stream."""
    with serving(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="session")
def slow_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app as on a host that does not pass the stream."""
    with serving(tmp_path_factory.mktemp("slow_app"), BNVIZ_STREAM="off") as running:
        yield running


class Wire:
    """A TCP connection to the app that can be cut: what a browser behind a bad network sees."""

    def __init__(self, app: App) -> None:
        self._target = ("127.0.0.1", int(app.url.rsplit(":", 1)[1]))
        self._sockets: list[socket.socket] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.mend()

    def mend(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def cut(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        while self._sockets:
            with suppress(OSError):
                self._sockets.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def cuttable() -> Iterator[Callable[[App], Wire]]:
    """Make wires to an app; cut at the end."""
    wires: list[Wire] = []

    def make(app: App) -> Wire:
        wires.append(Wire(app))
        return wires[-1]

    yield make
    for wire in wires:
        wire.cut()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    executable = chromium_path()
    if executable is None and os.environ.get("BNVIZ_REQUIRE_BROWSER") != "1":
        pytest.skip("no Chromium: install one (Debian: apt-get install chromium) or name it in the variable CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Panel:
    """Drives and reads the live panel of one browser page."""

    page: Any
    errors: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()  # console errors that the test itself provokes

    def open(self, url: str, frames: int = 1) -> "Panel":
        """Go to an address, wait for so many frames, and until every chart in view is drawn."""
        self.page.goto(url)
        self.page.wait_for_selector(CONNECTED, timeout=30_000)
        cards = "[...root.querySelectorAll('.bnv-card')].filter((card) => card.bnvCard.isVisible)"
        return self.wait(f"frames >= {frames} && {cards}.length && {cards}.every((card) => card.dataset.draws > 0)", 60)

    def wait(self, condition: str, seconds: float = 30) -> "Panel":
        """Until a JavaScript condition over the panel's data (frame, frames, draws: numbers; state) holds."""
        script = f"""() => {{
          const root = document.querySelector('{PANEL}');
          if (!root) return false;
          const {{ state }} = root.dataset;
          const [frame, frames, draws] = ['frame', 'frames', 'draws'].map((name) => Number(root.dataset[name] ?? -1));
          return {condition};
        }}"""
        self.page.wait_for_function(script, timeout=seconds * 1000)
        return self

    def data(self, name: str) -> str:
        return self.page.locator(PANEL).get_attribute(f"data-{name}")

    def number(self, name: str) -> int:
        return int(self.data(name) or -1)

    def evaluate(self, expression: str) -> Any:
        """JavaScript with `root`, the panel's element, `panel`, its object, and `cards`, those in view."""
        return self.page.evaluate(f"""() => {{
          const root = document.querySelector('{PANEL}');
          const panel = root.parentElement.bnvPanel;
          const cards = [...root.querySelectorAll('.bnv-card')].filter((card) => card.bnvCard.isVisible);
          return ({expression});
        }}""")

    def shown_frames(self) -> list[int]:
        """The frame that each chart in view shows."""
        return self.evaluate("cards.map((card) => Number(card.dataset.frame))")

    def wait_shown(self, frame: int) -> None:
        """Until every chart in view shows this frame."""
        visible = "[...root.querySelectorAll('.bnv-card')].filter((card) => card.bnvCard.isVisible)"
        self.wait(f"frame === {frame} && {visible}.every((card) => card.dataset.frame === '{frame}')")

    def screenshot(self, name: str) -> Path:
        folder = Path(os.environ.get("BNVIZ_SCREENSHOTS") or ROOT / "build" / "screenshots")
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(folder / f"{name}.png"))
        return folder / f"{name}.png"


@pytest.fixture
def new_panel(chromium: Any) -> Iterator[Callable[..., Panel]]:
    """Make a panel in a browser context of its own; afterwards no console error may have come up."""
    panels: list[Panel] = []

    def make(**context: Any) -> Panel:
        page = chromium.new_context(**({"viewport": {"width": 1400, "height": 900}} | context)).new_page()
        panel = Panel(page)
        page.on(
            "console",
            lambda message: (
                panel.errors.append(f"{message.text} {message.location.get('url', '')}") if message.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: panel.errors.append(str(error)))
        panels.append(panel)
        return panel

    yield make
    for panel in panels:
        panel.page.context.close()
    for panel in panels:
        assert [error for error in panel.errors if not any(text in error for text in panel.allowed)] == []


@pytest.fixture
def panel(new_panel: Callable[..., Panel]) -> Panel:
    """A panel in a desktop window."""
    return new_panel()


@pytest.fixture
def shown(new_panel: Callable[..., Panel]) -> Callable[..., Panel]:
    """Open a page with nothing but the panel, following a made-up study."""

    def show(
        *, end: dict[str, Any] | None = made_up.FINISHED, arms: bool = False, predicted: str = "higher", **context: Any
    ) -> Panel:
        scheme = context.get("color_scheme", "light")
        return made_up.show(new_panel(**context), end=end, arms=arms, predicted=predicted, scheme=scheme)

    return show
