"""Start here: an order through the pages, read from `assets/lessons/start.md`; what is done is kept in the session.

## Title
- minutes: 3
- pages: [Label](/page?part=name), ...
- do: ...
- look at: ...

The last section has no minutes: where to go on afterwards.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from bnviz.experiments.board.lessons import FOLDER
from bnviz.ui.glossary import whole_glossary

FILE = FOLDER / "start.md"
DONE_KEY = "start:done:"
_LINK = re.compile(r"\[([^\]]+)\]\((/[^)]*)\)")


class StartError(ValueError):
    """A path that is not of the form above; the text says where."""


@dataclass(frozen=True)
class Link:
    """Where a step leads: a page by its id, and the query that opens it in the right state."""

    label: str
    page: str
    query: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        """As it stands in the address bar."""
        query = "&".join(f"{key}={value}" for key, value in self.query)
        return f"/{self.page}{'?' if query else ''}{query}"


@dataclass(frozen=True)
class Step:
    """One step; the last section has 0 minutes and nothing to look at."""

    title: str
    minutes: int
    links: tuple[Link, ...]
    task: str
    look_at: str


@dataclass(frozen=True)
class Way:
    """The whole page: `more` is the last section."""

    title: str
    opening: str
    steps: tuple[Step, ...]
    more: Step


@cache
def way() -> Way:
    """Read it. Raises `StartError`."""
    return parse(FILE.read_text("utf-8"))


def parse(text: str) -> Way:
    """Take the Markdown apart. Raises `StartError`."""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, opening = head.strip().partition("\n")
    steps = [_step(section) for section in sections]
    if not steps or any((step.minutes == 0) != (step is steps[-1]) for step in steps):
        raise StartError("every section but the last has minutes")
    return Way(title.removeprefix("# "), opening.strip(), tuple(steps[:-1]), steps[-1])


def _step(section: str) -> Step:
    title, _, body = section.partition("\n")
    found = dict(re.findall(r"^- (minutes|pages|do|look at): (.+)$", body, re.MULTILINE))
    if "do" not in found or not _LINK.search(found.get("pages", "")):
        raise StartError(f"section {title.strip()}: expected pages, with links, and do")
    links = tuple(_link(label, address) for label, address in _LINK.findall(found["pages"]))
    return Step(title.strip(), int(found.get("minutes", 0)), links, found["do"], found.get("look at", ""))


def _link(label: str, address: str) -> Link:
    parts = urlsplit(address)
    return Link(label, parts.path.strip("/"), tuple(parse_qsl(parts.query)))


def draw(pages: Mapping[str, Any] | None = None) -> None:
    """Draw the page.

    Args:
        pages: the `st.Page` of every page by its id; a link to one that is not among them is plain text with an address.
    """
    found = way()
    st.title(found.title)
    st.markdown(found.opening)
    is_done = [bool(st.session_state.get(f"{DONE_KEY}{i}")) for i in range(len(found.steps))]
    st.progress(sum(is_done) / len(is_done), text=_standing(found.steps, is_done))
    for i, step in enumerate(found.steps):
        _draw_step(i, step, is_next=i == _first_open(is_done), pages=pages or {})
    with st.container(border=True):
        st.markdown(f"**{found.more.title}.** {found.more.task}")
        _draw_links((*found.more.links, *unnamed(found, pages or {})), pages or {})
    with st.expander("All words and symbols"):
        whole_glossary()


def unnamed(found: Way, pages: Mapping[str, Any]) -> tuple[Link, ...]:
    """Links to the pages that the text does not name, so that a new experiment is on the way without a word here."""
    named = {link.page for step in (*found.steps, found.more) for link in step.links}
    return tuple(Link(page.title, name, ()) for name, page in pages.items() if name not in named)


def _first_open(is_done: list[bool]) -> int:
    return is_done.index(False) if False in is_done else -1


def _standing(steps: tuple[Step, ...], is_done: list[bool]) -> str:
    left = sum(step.minutes for step, done in zip(steps, is_done, strict=True) if not done)
    if not left:
        return "All steps done"
    return f"{sum(is_done)} of {len(steps)} steps done, about {left} minutes left"


def _draw_step(i: int, step: Step, is_next: bool, pages: Mapping[str, Any]) -> None:
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        mark = " :blue-badge[next]" if is_next else ""
        row.markdown(f"#### {i + 1}. {step.title}{mark}")
        row.checkbox(f"Done ({step.minutes} min)", key=f"{DONE_KEY}{i}", persist_state="session")
        st.markdown(f"**Do.** {step.task}\n\n**Look at.** {step.look_at}")
        _draw_links(step.links, pages)


def _draw_links(links: tuple[Link, ...], pages: Mapping[str, Any]) -> None:
    row = st.container(horizontal=True)
    for link in links:
        if link.page in pages:
            row.page_link(pages[link.page], label=link.label, icon=":material/arrow_forward:", query_params=dict(link.query))
        else:
            row.markdown(f"{link.label} (`{link.address}`)")
