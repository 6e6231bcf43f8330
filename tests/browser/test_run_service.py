"""What the run service does, as the page tells it: a killed worker, a full house, a run that others watch."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from tests.browser.conftest import HALF_A_MINUTE, App, serving

REPORT_SECONDS = 2.0


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app on a machine with a place for one run only."""
    with serving(tmp_path_factory.mktemp("one_worker"), BNVIZ_MAX_WORKERS="1") as running:
        yield running


def workers(app: App) -> list[psutil.Process]:
    """The run's processes: what the launcher has forked."""
    (launcher,) = psutil.Process(app.process.pid).children()
    return launcher.children()


def stop(panel: Any) -> None:
    """Press Stop: the one worker is free for the next test."""
    panel.page.get_by_role("button", name="Stop the run").click()
    panel.wait("state === 'stopped'", seconds=5)


def test_a_killed_worker_is_reported_within_two_seconds_and_can_be_run_again(one_worker: App, panel: Any) -> None:
    panel.open(one_worker.url + HALF_A_MINUTE.format(seed=101), frames=3)
    (worker,) = workers(one_worker)
    killed = time.monotonic()
    os.kill(worker.pid, signal.SIGKILL)
    panel.wait("state === 'failed'", seconds=10)
    assert time.monotonic() - killed < REPORT_SECONDS
    assert "The worker process died" in panel.page.locator(".bnv-status").inner_text()
    panel.screenshot("killed-worker")
    panel.page.get_by_role("button", name="Run again").click()
    panel.wait("state === 'running' && frames >= 3")
    assert [each.pid for each in workers(one_worker)] != [worker.pid]
    stop(panel)


def test_a_run_that_waits_says_its_place_and_starts_when_it_is_free(
    one_worker: App, panel: Any, new_panel: Callable[..., Any]
) -> None:
    panel.open(one_worker.url + HALF_A_MINUTE.format(seed=102), frames=2)
    waiting = new_panel()
    waiting.page.goto(one_worker.url + HALF_A_MINUTE.format(seed=103))
    waiting.wait("state === 'queued'")
    assert waiting.page.locator(".bnv-status").inner_text() == "Waiting in the queue: place 1"
    stop(panel)
    waiting.wait("state === 'running' && frames >= 2", 60)
    stop(waiting)


def test_a_run_that_others_watch_goes_on_without_the_one_who_stops(
    one_worker: App, panel: Any, new_panel: Callable[..., Any]
) -> None:
    panel.allowed = ("409",)  # the browser logs the refusal itself
    panel.open(one_worker.url + HALF_A_MINUTE.format(seed=104), frames=2)
    other = new_panel().open(one_worker.url + HALF_A_MINUTE.format(seed=104), frames=2)
    stop(panel)
    assert "others still watch" in panel.page.locator(".bnv-status").inner_text()
    held = other.number("frames")
    other.wait(f"state === 'running' && frames > {held}")
    stop(other)


def test_a_run_that_fails_before_its_first_frame_says_why_and_offers_another_try(one_worker: App, panel: Any) -> None:
    panel.page.goto(f"{one_worker.url}/?dataset.name=mnist&steps=10&trials=1")
    panel.wait("state === 'failed' || (state === 'finished' && frames > 0)", 60)
    if panel.data("state") == "finished":
        pytest.skip("MNIST is on this machine")
    assert "choose digits" in panel.page.locator(".bnv-status").inner_text()
    again = panel.page.get_by_role("button", name="Run again")
    box = again.bounding_box()
    assert box["x"] + box["width"] <= 1400
    assert not panel.page.get_by_role("button", name="Stop the run").is_visible()
    assert not panel.page.get_by_text("Details").is_visible()
    panel.screenshot("failed-before-the-first-frame")
