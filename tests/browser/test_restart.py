"""A server that forgets what the page is watching: it was started anew, or was away for a while."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import HALF_A_MINUTE, free_port, serving

OWN_ERRORS = ("ERR_", "WebSocket", "404", "MIME")  # the browser logs that a server is away


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_restart_in_mid_run_is_said_and_run_again_works(tmp_path: Path, new_panel: Callable[..., Any], scheme: str) -> None:
    panel, port = new_panel(color_scheme=scheme), free_port()
    panel.allowed = OWN_ERRORS
    with serving(tmp_path, port) as app:
        panel.open(app.url + HALF_A_MINUTE.format(seed=201), frames=3)
        app.process.kill()
        panel.wait("state === 'reconnecting'")
    with serving(tmp_path, port):
        panel.wait("state === 'lost'", 20)
        assert "no longer knows this run" in panel.page.locator(".bnv-status").inner_text()
        assert panel.number("frames") >= 3  # what was received can still be played
        panel.screenshot(f"lost-{scheme}")
        panel.page.get_by_role("button", name="Run again").click()
        panel.wait("state === 'running' && frames >= 3", 60)
        assert "seed=201" in panel.page.url
        panel.page.get_by_role("button", name="Stop the run").click()
        panel.wait("state === 'stopped'")


STREAM = """async () => {
  const { Stream } = await import('/live_panel/stream.js');
  const sources = [], said = [], timers = [];
  window.EventSource = class extends EventTarget {
    static CLOSED = 2;
    constructor() { super(); this.readyState = 1; sources.push(this); }
    close() { this.readyState = 2; }
    fail(readyState) { this.readyState = readyState; this.dispatchEvent(new Event('error')); }
  };
  const { setTimeout } = window;
  window.setTimeout = (act, after) => timers.push([act, after]);
  const hide = (hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };
  const say = (name) => (value) => said.push([name, value]);
  const on = Object.fromEntries(['lost', 'back', 'refused'].map((name) => [name, say(name)]));
  new Stream(new URL('http://panel.test/stream'), on, () => 3);
  STORY
  window.setTimeout = setTimeout;
  return said;
}"""
AWAY_THEN_FORGOTTEN = """
  sources[0].onopen();
  sources[0].fail(0); // the server is away
  timers.pop()[0]();
  sources[1].fail(2); // it answers, and not with a stream
"""
ASLEEP_THEN_FORGOTTEN = """
  sources[0].onopen();
  hide(true);
  const [sleep, after] = timers.pop();
  said.push(['sleeps after', after]);
  sleep();
  sources[0].fail(2); // of our own closing
  hide(false);
  sources[1].fail(2);
"""
NEVER_OPEN = "sources[0].fail(2);"


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (AWAY_THEN_FORGOTTEN, [["lost", 0.5], ["refused", True], ["lost", 1]]),
        (ASLEEP_THEN_FORGOTTEN, [["sleeps after", 60_000], ["refused", True], ["lost", 0.5]]),
        (NEVER_OPEN, [["refused", False], ["lost", 0.5]]),
    ],
)
def test_a_stream_asks_whether_the_run_is_known_whenever_it_is_refused(shown, story, said):
    assert shown().page.evaluate(STREAM.replace("STORY", story)) == said


def test_a_server_that_is_away_behind_a_proxy_is_waited_for(app: Any, panel: Any) -> None:
    """502 with a page of HTML: neither a lost run, nor a host without our routes."""
    panel.allowed = ("502",)
    panel.open(app.url + HALF_A_MINUTE.format(seed=202), frames=3)
    panel.page.route("**/api/**", lambda route: route.fulfill(status=502, content_type="text/html", body="<html></html>"))
    panel.evaluate("void panel.follower.stream.connect()")
    panel.page.wait_for_function("document.querySelector('.bnv-status').textContent.includes('in 2 seconds')", timeout=15_000)
    held = panel.number("frames")
    assert panel.data("state") == "reconnecting"
    panel.page.unroute("**/api/**")
    panel.wait(f"state === 'running' && frames > {held}", 20)
    assert "Slow mode" not in panel.page.locator(".bnv-status").inner_text()
    panel.page.get_by_role("button", name="Stop the run").click()
    panel.wait("state === 'stopped'")
