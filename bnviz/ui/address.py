"""Address and controls: which of them counts when they differ.

The page writes the address as the controls change, and each run of its script is told the address that the browser had when
it asked. That may be older than what was written (an echo), or another one, where the visitor went. So each place (a page,
or a part of one) remembers the address that it wrote or loaded last, and the controls as of its last run:

    a control changed              the controls count, and the address is written: quick changes carry each other's echoes
    nothing changed, same address  nothing to do
    nothing changed, another one   Back, Forward or a link: it is loaded, also when it is empty
    come from another place        its address is loaded unless it is empty: then the place is as it was left
    the first visit                the address is loaded

After loading, the browser may still send the controls as they were before, with a second press of Back: they are no change.
Runs of a fragment alone do not come here. Not told apart: Back in the moment in which the change before it is on its way
to the server (the change counts), and a run without any change in the moment in which an address is on its way to the
browser (it is taken for Back).
"""

from dataclasses import dataclass

import streamlit as st

Query = dict[str, str]
_PLACE, _MEMORIES = "place", "addresses"


@dataclass
class _Memory:
    query: Query  # written or loaded last
    controls: list[object]  # as of the last run; after loading, also as before it


def turn_to(page: str) -> None:
    """Note which page is drawn; coming back to a place from another page is an arrival."""
    if st.session_state.get("page") != page:
        st.session_state.page = page
        st.session_state.pop(_PLACE, None)


def must_load(place: str, query: Query, controls: object) -> bool:
    """Whether the address counts: its query is to be loaded into the controls, which `loaded` is then told.

    Args:
        place: a page, or a part of one.
        query: what the browser sent, without what belongs to other places.
        controls: the values of all controls, comparable; None when there are none yet.
    """
    arrives = st.session_state.get(_PLACE) != place
    st.session_state[_PLACE] = place
    memory = _memories().get(place)
    if memory is None:
        return True
    if query == memory.query or (arrives and not query):
        return False
    return arrives or controls is None or controls in memory.controls


def loaded(place: str, query: Query, before: object, now: object) -> None:
    """A query was loaded; the controls were changed by it."""
    _memories()[place] = _Memory(query, [before, now])


def ran(place: str, query: Query | None, controls: object) -> None:
    """The script has run with these controls; `query` is what the address says now, None: it was left as it is."""
    memory = _memories()[place]
    if query is not None:
        memory.query = query
    if controls not in memory.controls:
        memory.controls = [controls]


def _memories() -> dict[str, _Memory]:
    return st.session_state.setdefault(_MEMORIES, {})
