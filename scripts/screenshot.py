"""Make the README's pictures from a real run in a real browser: assets/images/explore.png (light) and -dark.png.

python scripts/screenshot.py [--chromium /usr/bin/chromium] [--query preset=classic]
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "assets" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS, RUN_SECONDS = 60, 120
SIZE: ViewportSize = {"width": 1440, "height": 1000}


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving() -> Iterator[str]:
    """Start the app with an empty store and yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as store:
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(port),
            "--server.headless",
            "true",
            "--browser.serverAddress",
            "localhost",
        ]
        environment = os.environ | {"BNVIZ_DATA_DIR": store}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_until_up(address)
            yield address
        finally:
            server.terminate()
            server.wait(20)


def wait_until_up(address: str) -> None:
    """Return once the app answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/api/health", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{address} did not answer within {START_SECONDS} s")


def take(page: Page, address: str, query: str, file: Path) -> None:
    """Open the page, wait until the run has ended and its last frame is drawn, and keep the picture."""
    page.goto(f"{address}/?{query}")
    page.wait_for_selector("[data-testid=stApp][data-test-connection-state=CONNECTED]", timeout=START_SECONDS * 1000)
    page.wait_for_selector("[data-state=finished]", timeout=RUN_SECONDS * 1000)
    page.wait_for_function(
        """() => { const root = document.querySelector('[data-state=finished][data-frames]');
                   return root && +root.dataset.frame === +root.dataset.frames - 1; }""",
        timeout=RUN_SECONDS * 1000,
    )
    page.wait_for_timeout(500)  # the last charts of the turn are drawn
    page.screenshot(path=file)
    print(f"wrote {file.relative_to(ROOT)}")


def main() -> None:
    """Take the picture in both colour schemes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", default=next(filter(None, map(shutil.which, BROWSERS)), None), help="path of the browser")
    parser.add_argument("--query", default="preset=classic", help="the page's link after the question mark")
    options = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for dark in (False, True):
            context = browser.new_context(viewport=SIZE, color_scheme="dark" if dark else "light")
            take(context.new_page(), address, options.query, IMAGES / ("explore-dark.png" if dark else "explore.png"))
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
