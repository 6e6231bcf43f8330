"""The session's state: which configuration the controls show, and which run the panel plays.

first visit      URL -> load -> submit                    a preset      load -> submit
a control        draft changes, the URL follows           Run           draft -> submit
"""

import time
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from bnviz.ceilings import CostTooHigh
from bnviz.config import RunConfig
from bnviz.link import from_query, to_query
from bnviz.presets import DEFAULT_PRESET, PRESETS
from bnviz.runs.service import QueueFull, get_service
from bnviz.ui.draft import Draft, build, changes, values_of, with_one_value
from bnviz.ui.fields import CONTROLS, NORMS_KEY
from bnviz.ui.live_panel import replay
from bnviz.ui.plain import plain

HIDE_KEY = "hide"  # of the URL: `hide=controls` is the presenter's view
PRESET_KEY = "preset"
ECHO_SECONDS = 5.0
MOST_CHANGES = 6  # that are listed
_KEYS = {**{control.path: control.key for control in CONTROLS}, "norms": NORMS_KEY}


@dataclass(frozen=True)
class Shown:
    """What the panel plays: a run, or why there is none."""

    config: RunConfig
    run_id: str | None
    error: str = ""


def sync() -> None:
    """Bring the session in line with the URL: on the first visit, and when a link has changed it since."""
    query = st.query_params.to_dict()
    state = st.session_state
    if "base" not in state or (query and not _is_known(query)):
        config, state.notices = from_query(query)
        _know(query)
        load(config)
        submit(config)
    elif any(key not in state for key in _KEYS.values()):
        load(state.last_good)


def _know(query: dict[str, str]) -> None:
    """Note that the controls show what this query says."""
    now = time.monotonic()
    recent = [
        (known, when) for known, when in st.session_state.get("queries", ()) if now - when < ECHO_SECONDS and known != query
    ]
    st.session_state.queries = [*recent, (query, now)]


def _is_known(query: dict[str, str]) -> bool:
    """Whether the browser sends what the page wrote: last, or just before, when quick changes overtake its answer."""
    *earlier, (last, _) = st.session_state.queries
    now = time.monotonic()
    return query == last or any(query == known and now - when < ECHO_SECONDS for known, when in earlier)


def load(config: RunConfig) -> None:
    """Show a configuration in the controls; call it before they are drawn."""
    state = st.session_state
    state.base = state.last_good = config
    state.origin = to_query(config).get("preset", DEFAULT_PRESET)
    state[PRESET_KEY] = state.origin
    for path, value in values_of(config).items():
        state[_KEYS[path]] = value


def draft() -> Draft:
    """What the controls ask for now; the last one that could be used is kept."""
    state = st.session_state
    built = build(state.base, {path: state[key] for path, key in _KEYS.items()})
    if built.config is not None:
        state.last_good = built.config
    return built


def submit(config: RunConfig) -> None:
    """Start the run or join it, and let the panel play it."""
    state = st.session_state
    try:
        status = get_service().submit(config)
    except (QueueFull, CostTooHigh) as error:
        state.shown = Shown(config, None, str(error))
        return
    if status.cached and "shown" in state and state.shown.run_id == status.id:
        replay()
    state.shown = Shown(config, status.id)


def press_run() -> None:
    """Run was pressed: start what the controls ask for, or leave all as it is when they ask for nothing usable."""
    state = st.session_state
    state.notices = []
    asked = draft()
    if asked.config is not None:
        submit(asked.config)


def choose_preset() -> None:
    """A preset was pressed, or pressed again to undo changes: show it and run it."""
    state = st.session_state
    config = PRESETS[state[PRESET_KEY] or state.origin].config
    state.notices = []
    load(config)
    submit(config)


def adapt_to_dataset() -> None:
    """Another data set was chosen: take its own split, and no more samples at once than it has."""
    state = st.session_state
    name = state[_KEYS["dataset.name"]]
    train_size, _ = state.base.dataset.model_copy(update={"name": name, "train_size": None, "test_size": None}).sizes
    for path in ("dataset.train_size", "dataset.test_size"):
        state[_KEYS[path]] = None
    for path in ("batch_size", "probe_size"):
        state[_KEYS[path]] = min(state[_KEYS[path]], train_size)


def use_one_value(name: str) -> None:
    """Give all arms and trials the first arm's value of a field."""
    st.session_state.base = with_one_value(st.session_state.base, name)


def write_link(config: RunConfig) -> None:
    """Let the URL follow the controls."""
    query = to_query(config)
    if hide := st.query_params.get(HIDE_KEY):
        query[HIDE_KEY] = hide
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
    _know(query)


def link(config: RunConfig) -> str:
    """The address that opens this configuration."""
    address, query = st.context.url or "", to_query(config)
    address = f"{address}/" if address.count("/") == len("//") else address  # a bare host
    return f"{address}?{urlencode(query)}" if query else address or "?"


def headline() -> str:
    """What is set up: the preset's sentence while nothing is changed, else what is."""
    preset, config = PRESETS[st.session_state.origin], st.session_state.last_good
    if config == preset.config:
        return preset.sentence
    found = changes(config, preset.config)
    rest = f" and {len(found) - MOST_CHANGES} more" if len(found) > MOST_CHANGES else ""
    return f"{preset.title}, changed: {plain('; '.join(found[:MOST_CHANGES]))}{rest}."


def controls_hidden() -> bool:
    """Whether this is the presenter's view."""
    return st.query_params.get(HIDE_KEY) == "controls"
