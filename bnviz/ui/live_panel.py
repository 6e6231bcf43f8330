"""The live panel on a page: mounts the component that follows one run's stream in the browser.

stream mode   the component opens an EventSource on the API, and Python is done
slow mode     a fragment passes new frames through the component's data until the run has ended; for hosts that
              do not pass our routes (BNVIZ_STREAM=off, or the component found the stream unreachable)
"""

import json
import weakref
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from bnviz.panels import PANELS
from bnviz.panels.protocol import Data, End, Prediction, Slow
from bnviz.runs.journal import Feed
from bnviz.runs.service import QueueFull, UnknownRun, get_service
from bnviz.web import static
from bnviz.web.sse import JsonEncoder

TICK_SECONDS = 0.4
MAX_FRAMES_A_TICK = 60  # about 400 KB of JSON
BOOTSTRAP = """
let style = null;
const styled = (url) => (style ||= new Promise((done) => {
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href: url, onload: done, onerror: done });
  document.head.append(link);
}));
export default async function (component) {
  const base = new URL(".", window.location.href);
  const { module, css } = component.data;
  const [{ mount }] = await Promise.all([import(new URL(module, base)), styled(new URL(css, base))]);
  return mount(component, base);
}
"""

_component = component("bnviz_live_panel", js=BOOTSTRAP, isolate_styles=False)


def live_panel(
    run_id: str,
    *,
    panel: str = "explore",
    key: str = "panel",
    autoplay: bool = True,
    prediction: Prediction | None = None,
) -> None:
    """Show a run's charts, live; they stay on the page, with their zoom, when another run takes its place.

    Args:
        run_id: from `RunService.submit`.
        panel: which charts, a key of `bnviz.panels.PANELS`.
        key: of the component; one panel a page.
        autoplay: whether a run that had finished before plays from its start or shows its end.
        prediction: what the visitor expects, to be held against the answer: `choices`, texts by key, and `predicted`, a key
            or nothing.
    """
    state = _state(key)
    data = _data(run_id, panel, autoplay, _generation(run_id, state), prediction)
    if get_service().settings.stream == "off" or _component_state(key).get("unreachable"):
        _mount_slow(run_id, panel, key, data)
    else:
        _mount(run_id, key, data)


def _mount(run_id: str, key: str, data: Data) -> None:
    _component(
        key=key,
        data=data,
        on_again_change=lambda: _run_again(key),
        on_stop_change=lambda: _stop(run_id),
        on_unreachable_change=lambda: None,
        on_resume_from_change=lambda: None,
        on_complete_change=lambda: None,
    )


def _data(run_id: str, panel: str, autoplay: bool, generation: int, prediction: Prediction | None) -> Data:
    """What the component needs; addresses are relative to the app's base path."""
    return {
        "run_id": run_id,
        "generation": generation,
        "module": static.asset_url("live_panel/index.js"),
        "css": static.asset_url("live_panel/panel.css"),
        "plotly": static.asset_url("plotly.min.js"),
        "stream": f"api/runs/{run_id}/stream?panel={panel}",
        "run": f"api/runs/{run_id}",
        "health": "api/health",
        "autoplay": autoplay,
        "slow": None,
        "prediction": prediction,
    }


def _state(key: str) -> dict[str, Any]:
    """What this session remembers of its panel."""
    return st.session_state.setdefault(f"_{key}_memory", {"generation": 0, "sent": 0, "before": 0, "resume": None})


def replay(key: str = "panel") -> None:
    """Let the panel follow the run that it shows from its start once more; does nothing for a panel that was not drawn."""
    memory = st.session_state.get(f"_{key}_memory")
    if memory is not None:
        memory["generation"] += 1


def _component_state(key: str) -> dict[str, Any]:
    """What the component reported, as Streamlit keeps it under the component's key."""
    return st.session_state.get(key) or {}


def _generation(run_id: str, state: dict[str, Any]) -> int:
    """A number that grows when a run was started anew, so that the browser follows it again."""
    try:
        live = get_service().live(run_id)
    except UnknownRun:
        return state["generation"]
    known = state.get("live")
    if known is None or known() is not live:
        state.update(live=weakref.ref(live), config=live.config, sent=0, before=0)
        state["generation"] += 1
    return state["generation"]


def _run_again(key: str) -> None:
    """Start the run once more; when the server is full the page says so at its own next try."""
    config = _state(key).get("config")
    if config is not None:
        with suppress(QueueFull):
            get_service().submit(config)


def _stop(run_id: str) -> None:
    """Stop the run for a browser that cannot reach the API."""
    with suppress(UnknownRun):
        get_service().stop(run_id)


def _mount_slow(run_id: str, panel: str, key: str, data: Data) -> None:
    """Slow mode: the fragment ticks until the browser says that it has everything."""
    run = f"{run_id}:{data['generation']}"
    is_over = _component_state(key).get("complete") == run

    def tick() -> None:
        _mount(run_id, key, {**data, "slow": _news(run_id, panel, key)})
        if not is_over and _component_state(key).get("complete") == run:
            st.rerun()  # once, to take the timer away

    st.fragment(tick, run_every=None if is_over else TICK_SECONDS)()


def _news(run_id: str, panel: str, key: str) -> Slow:
    """The frames since the tick before the last: a tick that the browser skipped is made good by the next."""
    state, service = _state(key), get_service()
    try:
        status, journal = service.status(run_id), service.journal(run_id)
    except UnknownRun:
        return {"status": None, "start": None, "frames": [], "count": 0, "end": End(state="lost", step=0, reason="", verdict="")}
    feed: Feed = journal.feed(panel, lambda: JsonEncoder(PANELS[panel]()))
    first = min(state["before"], state["sent"])
    asked = _component_state(key).get("resume_from")
    if asked and asked != state["resume"]:
        state["resume"], first = asked, int(asked[0])
    end, frames = feed.end, feed.frames[first : first + MAX_FRAMES_A_TICK]
    last = first + len(frames)
    is_complete = end is not None and last >= len(feed.frames)
    state["before"], state["sent"] = state["sent"], last
    return {
        "status": {"state": status.state, "queue_position": status.queue_position, "cached": status.cached},
        "start": json.loads(feed.start) if first == 0 and feed.start else None,
        "frames": [json.loads(frame) for frame in frames],
        "count": len(feed.frames),
        "end": json.loads(end) if is_complete and end else None,
    }
