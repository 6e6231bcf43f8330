"""The session's state: which configuration the controls show, and which run the panel plays.

first visit      URL -> load -> submit                    a preset      load -> submit
a control        draft changes, the URL follows           Run           draft -> submit
Back, a link     URL -> load -> submit (bnviz.ui.address says when)
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from bnviz.config.ceilings import CostTooHigh
from bnviz.config.models import RunConfig
from bnviz.config.presets import DEFAULT_PRESET, PRESETS
from bnviz.config.run_links import RUN_LINKS
from bnviz.runs.service import QueueFull, get_service
from bnviz.ui import address
from bnviz.ui.draft import Draft, build, changes, values_of, with_one_value
from bnviz.ui.fields import ADVANCED_KEY, COMPARE, CONTROLS
from bnviz.ui.live_panel import replay
from bnviz.ui.markdown import escaped

HIDE_KEY = "hide"  # of the URL: `hide=controls` is the presenter's view
PRESET_KEY = "preset"
PLACE = "explore"
MOST_CHANGES = 6  # that are listed
_KEYS = {control.path: control.key for control in (*CONTROLS, COMPARE)}


@dataclass(frozen=True)
class Shown:
    """What the panel plays: a run, or why there is none."""

    config: RunConfig
    run_id: str | None
    error: str = ""


def sync() -> None:
    """Bring the session in line with the URL: on the first visit, and when the visitor has gone to another one since."""
    query, before = st.query_params.to_dict(), _controls()
    state = st.session_state
    if address.must_load(PLACE, query, before):
        asked = RUN_LINKS.from_query(query)
        state.notices = asked.notices
        load(asked.config)
        address.loaded(PLACE, query, before, _controls())
        submit(asked.config)
    elif before is None:
        load(state.last_good)


def _controls() -> tuple[object, ...] | None:
    """What the visitor has set, to be compared; None while the session does not hold a value for every control."""
    state = st.session_state
    if "base" not in state or any(key not in state for key in _KEYS.values()):
        return None
    values = (tuple(value) if isinstance(value, list) else value for value in (state[key] for key in _KEYS.values()))
    return (state.get("revision", 0), bool(state.get(ADVANCED_KEY)), *values)


def _revise() -> None:
    """Count a change of the visitor's that no control's value tells."""
    st.session_state.revision = st.session_state.get("revision", 0) + 1


def load(config: RunConfig) -> None:
    """Show a configuration in the controls; call it before they are drawn."""
    state = st.session_state
    state.base = state.last_good = config
    state.origin = RUN_LINKS.to_query(config).get("preset", DEFAULT_PRESET)
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
    state.notices = ()
    asked = draft()
    if asked.config is not None:
        submit(asked.config)


def choose_preset() -> None:
    """A preset was pressed, or pressed again to undo changes: show it and run it."""
    state = st.session_state
    config = PRESETS[state[PRESET_KEY] or state.origin].config
    state.notices = ()
    _revise()
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


def use_one_value(path: str) -> None:
    """Give all arms and trials the first arm's value of a field."""
    _revise()
    st.session_state.base = with_one_value(st.session_state.base, path)


def write_link(config: RunConfig | None) -> None:
    """Let the URL follow the controls; None: they ask for nothing usable, and it stays."""
    query = None
    if config is not None:
        query = RUN_LINKS.to_query(config)
        if hide := st.query_params.get(HIDE_KEY):
            query[HIDE_KEY] = hide
        if query != st.query_params.to_dict():
            st.query_params.from_dict(query)
    address.ran(PLACE, query, _controls())


def link(config: RunConfig) -> str:
    """The address that opens this configuration."""
    here, query = st.context.url or "", RUN_LINKS.to_query(config)
    here = f"{here}/" if here.count("/") == len("//") else here  # a bare host
    return f"{here}?{urlencode(query)}" if query else here or "?"


def headline() -> str:
    """What is set up: the preset's sentence while nothing is changed, else what is."""
    preset, config = PRESETS[st.session_state.origin], st.session_state.last_good
    if config == preset.config:
        return preset.sentence
    found = changes(config, preset.config)
    rest = f" and {len(found) - MOST_CHANGES} more" if len(found) > MOST_CHANGES else ""
    return f"{preset.title}, changed: {escaped('; '.join(found[:MOST_CHANGES]))}{rest}."


def controls_hidden() -> bool:
    """Whether this is the presenter's view."""
    return st.query_params.get(HIDE_KEY) == "controls"
