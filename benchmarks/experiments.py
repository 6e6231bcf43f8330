"""How soon each experiment answers, in a browser: press of Run to the first painted frame, and to the verdict.

usage: python benchmarks/experiments.py [EXPERIMENT ...]
Every part in its default preset, once. Non-zero exit when one is over its budget: first frame within 1 s, verdict within
20 s, 45 s for depth and landscape. Starts the app and a headless Chromium on this machine; other work on it spoils the figures.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.browser import browser_tools
from bnviz.experiments.board.catalog import catalog

FIRST_FRAME_SECONDS = 1.0
VERDICT_SECONDS = 20.0
LONG_VERDICT_SECONDS = {"depth": 45.0, "landscape": 45.0}
PRESS_OF_RUN = """() => new Promise((done, refuse) => {
  const run = document.querySelector('.st-key-run button');
  const begun = performance.now();
  let first = null;
  const look = () => {
    const passed = (performance.now() - begun) / 1000;
    if (passed > 150) return refuse(new Error('no verdict within 150 s'));
    const root = document.querySelector('.bnv-panel');
    const panel = root?.parentElement.bnvPanel;
    if (first === null) root?.scrollIntoView();
    const isDrawn = panel?.store && [...panel.charts.cards.values()].some((card) => card.isVisible && card.plot.drawn >= 0);
    if (first === null && isDrawn) first = passed;
    if (first !== null && ['finished', 'stopped', 'failed'].includes(root.dataset.state)) {
      return done({ first, end: passed, state: root.dataset.state, verdict: panel.end?.verdict || '' });
    }
    requestAnimationFrame(look);
  };
  run.click();
  look();
})"""


def press_run(app: Any, browser: Any, experiment: str, part: str) -> dict[str, Any]:
    """Open a part, predict something, press Run; what the browser saw, and its errors."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{app.url}/{experiment}?part={part}")
    page.locator(".st-key-prediction_row button").last.click()
    page.locator(".st-key-run button:not([disabled])").wait_for(timeout=60_000)
    page.wait_for_function("() => window.Plotly")
    seen = page.evaluate(PRESS_OF_RUN)
    page.context.close()
    return seen | {"errors": errors}


def main(names: list[str]) -> int:
    """Print a row a part."""
    over = 0
    print(f"{'experiment and part':<42}{'first frame':>12}{'verdict':>10}{'budget':>9}")
    with tempfile.TemporaryDirectory() as folder, browser_tools(Path(folder)) as (app, browser):
        for experiment in catalog().values():
            for part in experiment.parts:
                if names and experiment.id not in names:
                    continue
                seen = press_run(app, browser, experiment.id, part.id)
                budget = LONG_VERDICT_SECONDS.get(experiment.id, VERDICT_SECONDS)
                is_right = seen["state"] == "finished" and seen["verdict"] and not seen["errors"]
                is_over = not is_right or seen["first"] > FIRST_FRAME_SECONDS or seen["end"] > budget
                over += is_over
                words = "ok" if not is_over else "OVER BUDGET" if is_right else f"NO VERDICT: {seen['state']} {seen['errors']}"
                name = f"{experiment.id}, {part.id}"
                print(f"{name:<42}{seen['first']:>10.2f} s{seen['end']:>8.1f} s{budget:>7.0f} s  {words}", flush=True)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
