"""The words and symbols of the pages, explained where they occur: read from `assets/lessons/glossary.md`.

An entry is one line: - **Term** $symbol$: definition <!-- form, form, ... -->, with the forms that are looked for in a text.
"""

import re
from dataclasses import dataclass
from functools import cache

import streamlit as st

from bnviz.experiments.board.lessons import FOLDER

FILE = FOLDER / "glossary.md"
_ENTRY = re.compile(r"^- \*\*(.+?)\*\*(?: (\$.+?\$))?: (.+?) <!-- (.+) -->$")
_SHORT = 2  # forms of so few letters are symbols: B is not b


class GlossaryError(ValueError):
    """A glossary that is not of the form above; the text says where."""


@dataclass(frozen=True)
class Term:
    """One entry: `symbol` is LaTeX with its dollars, or empty; `forms` are what it looks like in a text."""

    term: str
    symbol: str
    definition: str
    forms: tuple[str, ...]
    group: str

    @property
    def markdown(self) -> str:
        """As a page shows it."""
        return f"**{self.term}**{' ' if self.symbol else ''}{self.symbol}: {self.definition}"


@cache
def terms() -> tuple[Term, ...]:
    """All entries, in the order of the file. Raises `GlossaryError`."""
    return parse(FILE.read_text("utf-8"))


def parse(text: str) -> tuple[Term, ...]:
    """Take the glossary's Markdown apart. Raises `GlossaryError`."""
    found, group = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            group = line[3:].strip()
        elif line.startswith("- "):
            found.append(_entry(line, group))
    return tuple(found)


def _entry(line: str, group: str) -> Term:
    match = _ENTRY.match(line)
    if match is None:
        raise GlossaryError(f"no entry of the glossary: {line[:60]}")
    term, symbol, definition, forms = match.groups()
    return Term(term, symbol or "", definition, tuple(form.strip() for form in forms.split(",")), group)


def terms_in(text: str) -> tuple[Term, ...]:
    """The entries that occur in a text, in the order of their first occurrence.

    A longer form hides a shorter one inside it: "batch norm" is no batch. Words are found in capitals too; symbols, which
    are LaTeX commands and forms of one or two letters, only as they are written.
    """
    pattern, by_form = _finder()
    found = (by_form[_key(match.group())] for match in pattern.finditer(text))
    return tuple(dict.fromkeys(found))


@cache
def _finder() -> tuple[re.Pattern[str], dict[str, Term]]:
    by_form = {_key(form): entry for entry in terms() for form in entry.forms}
    longest_first = sorted(by_form, key=len, reverse=True)
    return re.compile("|".join(map(_looks_like, longest_first))), by_form


def _is_symbol(form: str) -> bool:
    return form.startswith("\\") or len(form) <= _SHORT


def _key(form: str) -> str:
    """How a form is looked up: without capitals, unless it is a symbol."""
    return form if _is_symbol(form) else form.lower()


def _looks_like(form: str) -> str:
    if form.startswith("\\"):
        return re.escape(form) + r"(?![A-Za-z])"
    words = re.escape(form).replace(r"\ ", r"\s+") if _is_symbol(form) else f"(?i:{re.escape(form)})"
    return rf"(?<![\w\\]){words}(?!\w)"


def words_on_this_page(text: str) -> None:
    """Explain the terms that occur in the text, folded."""
    found = terms_in(text)
    if found:
        with st.expander("Words on this page"):
            st.markdown("\n".join(f"- {entry.markdown}" for entry in found))


def whole_glossary() -> None:
    """Draw all entries, by their groups."""
    for group in dict.fromkeys(entry.group for entry in terms()):
        st.markdown(f"**{group}**")
        st.markdown("\n".join(f"- {entry.markdown}" for entry in terms() if entry.group == group))
