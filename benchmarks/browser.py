"""How the live panel performs in a browser: figure, budget, measured. Non-zero exit when one is over its budget.

usage: python benchmarks/browser.py [--quick]
Starts the app and a headless Chromium on this machine; other work on it spoils the figures.
"""

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
RACE = "/?steps={steps}&measure_every={every}&seed={seed}"
MOVED = "() => [...document.querySelectorAll('.bnv-card')].some((card) => Number(card.dataset.frame) >= 1)"
CLICK_TO_PAINT = """() => new Promise((done, refuse) => {
  const root = document.querySelector('.bnv-panel');
  const panel = root.parentElement.bnvPanel;
  const before = panel.store;
  const run = document.querySelector('[data-testid=stBaseButton-primary]');
  const begun = performance.now();
  const look = () => {
    if (performance.now() - begun > 20000) refuse(new Error('no frame within 20 s'));
    const cards = [...panel.charts.cards.values()];
    const drawn = panel.store !== before && cards.some((card) => card.isVisible && card.plot.drawn >= 0);
    if (drawn) requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
    else requestAnimationFrame(look);
  };
  run.click();
  look();
})"""
COUNT_RATES = """(seconds) => new Promise((done) => {
  const panel = document.querySelector('.bnv-panel').parentElement.bnvPanel;
  const cards = [...panel.charts.cards.values()].filter((card) => card.isVisible);
  const before = cards.map((card) => card.draws);
  const begun = performance.now();
  let ticks = 0;
  const tick = () => {
    ticks += 1;
    const passed = (performance.now() - begun) / 1000;
    if (passed < seconds) return requestAnimationFrame(tick);
    done({ charts: cards.map((card, i) => (card.draws - before[i]) / passed), frames: ticks / passed, full: panel.state });
  };
  requestAnimationFrame(tick);
})"""
NODES = "document.querySelectorAll('.bnv-card, .bnv-card .main-svg, .bnv-card .plot, .bnv-card .js-line, .bnv-card .js-fill')"
ALL_DRAWN = """() => [...document.querySelectorAll('.bnv-card')].every(
  (card) => !card.bnvCard.isVisible || Number(card.dataset.draws) > 3)"""
MARK_NODES = f"() => {{ window.oldNodes = [...{NODES}]; }}"
SAME_NODES = f"() => oldNodes.every((node) => node.isConnected) && oldNodes.length === {NODES}.length"


@dataclass
class Figure:
    """One line of the table."""

    name: str
    budget: str
    measured: str
    ok: bool | None

    def __str__(self) -> str:
        verdict = "" if self.ok is None else "ok" if self.ok else "OVER BUDGET"
        return f"{self.name:<58}{self.budget:>20}{self.measured:>18}  {verdict}"


class Bench:
    """The measurements, one method each, on one browser page where the figure allows."""

    def __init__(self, app: Any, browser: Any, rounds: int) -> None:
        self.app, self.browser, self.rounds = app, browser, rounds
        self.errors: list[str] = []

    @contextmanager
    def page(self) -> Iterator[Any]:
        context = self.browser.new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        yield page
        context.close()

    def open(self, page: Any, **run: int) -> None:
        page.goto(self.app.url + RACE.format(**run))
        page.wait_for_function(MOVED, timeout=60_000)

    def finished(self, page: Any) -> None:
        page.wait_for_function("() => document.querySelector('.bnv-panel').dataset.state === 'finished'", timeout=120_000)

    def set_seed(self, page: Any, seed: int) -> None:
        page.get_by_role("spinbutton", name="Seed").fill(str(seed))
        page.keyboard.press("Tab")
        page.get_by_text("Changed: press Run").wait_for()

    def press_of_run(self) -> Iterator[Figure]:
        with self.page() as page:
            self.open(page, steps=60, every=5, seed=100)
            times = []
            for i in range(self.rounds + 1):
                self.finished(page)
                self.set_seed(page, 101 + i)
                times.append(page.evaluate(CLICK_TO_PAINT))
            self.finished(page)
            median = statistics.median(times[1:])
            yield Figure("press of Run to the first painted frame, median", "<= 500 ms", f"{median:.0f} ms", median <= 500)
            self.set_seed(page, 102)
            again = page.evaluate(CLICK_TO_PAINT)
            yield Figure("the same for a run that had finished before", "", f"{again:.0f} ms", None)

    def rates(self) -> Iterator[Figure]:
        with self.page() as page:
            self.open(page, steps=5000, every=2, seed=200)
            page.wait_for_function("() => Number(document.querySelector('.bnv-panel').dataset.frames) > 20")
            page.wait_for_function(ALL_DRAWN, timeout=30_000)
            page.evaluate(MARK_NODES)
            first = int(page.locator(".bnv-panel").get_attribute("data-frame"))
            live = page.evaluate(COUNT_RATES, 6)
            page.wait_for_function(
                f"() => Number(document.querySelector('.bnv-panel').dataset.frame) >= {first + 200}", timeout=120_000
            )
            same = page.evaluate(SAME_NODES)
            page.get_by_role("button", name="Stop the run").click()
            page.get_by_label("Playback speed").select_option("4")
            page.keyboard.press("Escape")
            page.get_by_role("button", name="Play (space)").click()
            replay = page.evaluate(COUNT_RATES, 2)
        visible, slowest = live["charts"][:6], min(live["charts"][:6])
        enough = len(visible) == 6 and slowest >= 12
        yield Figure(
            f"updates a second of each of {len(visible)} visible charts, slowest", ">= 12 (aim 20)", f"{slowest:.1f}", enough
        )
        yield Figure("animation frames a second meanwhile", ">= 30 (aim 50)", f"{live['frames']:.1f}", live["frames"] >= 30)
        measured = f"{min(replay['charts'][:6]):.1f} at {replay['frames']:.1f}"
        yield Figure("played back 4 times as fast: updates, animation frames", "", measured, None)
        yield Figure("DOM nodes of the charts after 200 frames", "the same", "the same" if same else "changed", same)

    def heap(self) -> Iterator[Figure]:
        with self.page() as page:
            self.open(page, steps=60, every=1, seed=300)
            client = page.context.new_cdp_session(page)
            used = []
            for i in range(self.rounds + 2):
                self.finished(page)
                client.send("HeapProfiler.collectGarbage")
                used.append(client.send("Runtime.getHeapUsage")["usedSize"] / 2**20)
                self.set_seed(page, 301 + i)
                page.evaluate(CLICK_TO_PAINT)
            growth = used[-1] - used[1]
            yield Figure(f"JS heap over {self.rounds} runs", "flat (< 2 MB)", f"{used[1]:.1f} to {used[-1]:.1f} MB", growth < 2)

    def cold_load(self) -> Iterator[Figure]:
        with self.page() as page:  # the default race is in the server's store from here on
            page.goto(self.app.url)
            page.wait_for_function(MOVED, timeout=60_000)
            self.finished(page)
        times, bare = [], []
        for _ in range(max(3, self.rounds // 2)):
            with self.page() as page:
                begun = time.perf_counter()
                page.goto(self.app.url, wait_until="commit")
                page.wait_for_selector("[data-test-connection-state=CONNECTED]")
                bare.append(time.perf_counter() - begun)
                page.wait_for_function(MOVED, timeout=60_000)
                times.append(time.perf_counter() - begun)
        median = statistics.median(times)
        yield Figure("cold load until Streamlit itself is connected, median", "", f"{statistics.median(bare):.2f} s", None)
        yield Figure("cold load to a moving chart, median", "<= 2.5 s (aim 1.8)", f"{median:.2f} s", median <= 2.5)

    def repeated(self) -> Iterator[Figure]:
        """From the request of a configuration that has run to its first frame, as a program sees it."""
        body = b'{"steps": 60, "seed": 400}'
        times = []
        for _ in range(self.rounds + 1):
            begun = time.perf_counter()
            request = urllib.request.Request(f"{self.app.url}/api/runs", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request) as answer:
                run_id = answer.read().split(b'"id":"')[1][:16].decode()
            with urllib.request.urlopen(f"{self.app.url}/api/runs/{run_id}/stream?panel=explore") as stream:
                while not stream.readline().startswith(b"event: frame"):
                    pass
                times.append(1000 * (time.perf_counter() - begun))
                while stream.readline():
                    pass
        median = statistics.median(times[1:])
        yield Figure("repeated configuration: first frame, median", "<= 100 ms", f"{median:.0f} ms", median <= 100)

    def silence(self) -> Iterator[Figure]:
        yield Figure("console errors in all of the above", "0", str(len(self.errors)), not self.errors)


def _fixtures() -> ModuleType:
    """The browser tests' way to start the app."""
    spec = importlib.util.spec_from_file_location("browser_fixtures", ROOT / "tests" / "browser" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def browser_tools(folder: Path) -> Iterator[tuple[Any, Any]]:
    """The app, with its data in `folder`, and a headless Chromium."""
    fixtures = _fixtures()
    from playwright.sync_api import sync_playwright

    with fixtures.serving(folder) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=fixtures.chromium_path(), args=fixtures.FLAGS)
        yield app, browser
        browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 10")
    rounds = 3 if parser.parse_args().quick else 10
    with tempfile.TemporaryDirectory() as folder, browser_tools(Path(folder)) as (app, browser):
        bench = Bench(app, browser, rounds)
        parts: tuple[Callable[[], Iterator[Figure]], ...] = (
            bench.cold_load, bench.press_of_run, bench.rates, bench.heap, bench.repeated, bench.silence,
        )  # fmt: skip
        print(f"{'figure':<58}{'budget':>20}{'measured':>18}")
        figures = [_said(figure) for part in parts for figure in part()]
    for error in sorted(set(bench.errors)):
        print("console:", error)
    return 0 if all(figure.ok is not False for figure in figures) else 1


def _said(figure: Figure) -> Figure:
    print(figure, flush=True)
    return figure


if __name__ == "__main__":
    sys.exit(main())
