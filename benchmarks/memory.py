"""What the processes of the real application take in memory, after a real run that somebody watches.

    python benchmarks/memory.py [--seconds 20]

PSS: pages that processes share count for each in equal parts. The web process counts with its RSS, the larger figure.
A browser opens the page where Playwright and a Chromium are found, so that what pages import is in the figure.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
WEB_BUDGET_MB, WORKER_BUDGET_MB = 250, 150
START_SECONDS = 120
MEGABYTE = 2**20


def pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            client.get("/api/health")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    sys.exit("the app did not start")


def open_page(stack: ExitStack, url: str) -> str:
    """Open the page in a browser; returns what was done, for the table's first line."""
    chromium = os.environ.get("BNVIZ_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright

        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        stack.callback(browser.close)
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("[data-testid=stApp][data-test-connection-state=CONNECTED]", timeout=START_SECONDS * 1000)
        page.wait_for_timeout(5000)
        return "with the page open in a browser"
    except Exception as error:  # no Playwright, no Chromium: the figure is then without the page, and says so
        return f"without a page: {type(error).__name__}"


def sample(web: psutil.Process, client: httpx.Client, seconds: float) -> tuple[float, float]:
    """The largest (worker, launcher) PSS of a run, MB, looked at every 20 ms while it is streamed."""
    body = {"seed": 123, "steps": 3000}
    created = client.post("/api/runs", json=body).json()
    worker_peak = launcher_peak = 0.0
    deadline = time.monotonic() + seconds
    with client.stream("GET", created["links"]["stream"], params={"panel": "explore"}) as stream:
        for line in stream.iter_lines():
            if line.startswith(("id: ", "event: finished")):
                launchers = [child for child in web.children() if "bnviz.runs.workers.launcher" in " ".join(child.cmdline())]
                workers = [worker.pid for launcher in launchers for worker in launcher.children()]
                worker_peak = max([worker_peak, *map(_pss_or_none, workers)])
                launcher_peak = max([launcher_peak, *(pss_mb(launcher.pid) for launcher in launchers)])
            if time.monotonic() > deadline:
                break
    return worker_peak, launcher_peak


def _pss_or_none(pid: int) -> float:
    try:
        return pss_mb(pid)
    except OSError:  # it has just ended
        return 0.0


def measure(seconds: float) -> bool:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.address=127.0.0.1"]
    command += ["--server.headless=true", "--browser.gatherUsageStats=false"]
    environment = {**os.environ, "BNVIZ_DATA_DIR": ""}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with ExitStack() as stack:
        server = stack.enter_context(subprocess.Popen(command, cwd=ROOT, env=environment, **quiet))
        stack.callback(server.terminate)
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS))
        wait_for(client)
        web = psutil.Process(server.pid)
        start = web.memory_info().rss / MEGABYTE
        how = open_page(stack, f"http://127.0.0.1:{port}/")
        worker, launcher = sample(web, client, seconds)
        tables = client.post("/api/runs", json={"seed": 123, "steps": 3000}).json()["links"]["layers"]["parquet"]
        before_tables = web.memory_info().rss / MEGABYTE
        client.get(tables)
        return report(how, start, before_tables, web.memory_info().rss / MEGABYTE, worker, launcher, web)


def report(how: str, start: float, run: float, tables: float, worker: float, launcher: float, web: psutil.Process) -> bool:
    torch = any("libtorch" in mapped.path for mapped in web.memory_maps())
    rows = [
        ("web process, RSS, after start, MB", None, start, True),
        ("web process, RSS, after a run, MB", WEB_BUDGET_MB, run, run <= WEB_BUDGET_MB),
        ("web process, RSS, after an export, MB", None, tables, True),
        ("web process has torch loaded", 0, float(torch), not torch),
        ("worker, PSS, largest, MB", WORKER_BUDGET_MB, worker, 0 < worker <= WORKER_BUDGET_MB),
        ("launcher, PSS, largest, MB", None, launcher, True),
    ]
    print(how)
    print(f"{'figure':40} {'budget':>8} {'measured':>9}  ok")
    for figure, budget, value, ok in rows:
        print(f"{figure:40} {'' if budget is None else f'<= {budget}':>8} {value:>9.0f}  {'yes' if ok else 'NO'}")
    return all(ok for *_, ok in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="how long the run is looked at")
    sys.exit(0 if measure(parser.parse_args().seconds) else 1)


if __name__ == "__main__":
    main()
