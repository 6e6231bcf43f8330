"""The glossary: what its file must look like, and that terms are found where they occur."""

import re
from collections import Counter
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnviz.experiments.board.lessons import FOLDER
from bnviz.ui.glossary import GlossaryError, parse, terms, terms_in

LESSONS = sorted(path for path in FOLDER.glob("*.md") if path.stem not in ("glossary", "start"))


def names(text: str) -> list[str]:
    return [entry.term for entry in terms_in(text)]


def test_there_are_enough_words_each_with_a_short_definition() -> None:
    assert 30 <= len(terms()) <= 50
    for entry in terms():
        assert entry.definition.endswith("."), entry.term
        assert len(entry.definition.split()) <= 50, entry.term
        assert entry.group


def test_no_form_means_two_things() -> None:
    forms = Counter(form.lower() if len(form) > 2 else form for entry in terms() for form in entry.forms)
    assert [form for form, count in forms.items() if count > 1] == []


def test_every_form_is_found_alone_and_leads_to_its_entry() -> None:
    for entry in terms():
        for form in entry.forms:
            assert terms_in(f"So (${form}$) it is.") == (entry,), form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Batch norm has a running mean.", ["Batch norm", "Running mean and variance"]),
        ("a batch of 64", ["Batch"]),
        ("B samples, b added", ["Batch"]),
        ("A gradient explodes: $\\gamma$ and γ", ["Gradient", "Vanishing and exploding gradients", "Gamma and beta"]),
        ("the effective learning rate, then the learning rate", ["Effective learning rate", "Learning rate"]),
        ("a dead unit is a unit", ["Dead unit", "Unit"]),
        ("$\\mub$ runs unitary losslessly", []),
        ("learning\nrate", []),
        ("", []),
    ],
)
def test_terms_are_found_in_order_and_longer_forms_first(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_every_lesson_has_words_to_explain() -> None:
    assert LESSONS
    for lesson in LESSONS:
        assert len(terms_in(lesson.read_text("utf-8"))) >= 5, lesson.name


def test_an_entry_without_forms_is_refused_by_name() -> None:
    with pytest.raises(GlossaryError, match="Widget"):
        parse("- **Widget**: a thing.")


def test_symbols_stand_with_their_word() -> None:
    (entry,) = parse("## G\n\n- **Mean** $\\mu$: of all. <!-- mean, \\mu -->")
    assert entry.markdown == "**Mean** $\\mu$: of all."
    assert (entry.forms, entry.group) == (("mean", "\\mu"), "G")


def page(text: str) -> None:
    from bnviz.ui.glossary import words_on_this_page

    words_on_this_page(text)


def test_the_page_explains_the_words_it_uses() -> None:
    app = AppTest.from_function(page, args=("A batch and its loss.",)).run()
    assert not app.exception
    assert app.expander[0].label == "Words on this page"
    shown = app.expander[0].markdown[0].value
    assert shown.index("**Batch** $B$:") < shown.index("**Loss** $L$:")
    assert "**Gradient" not in shown


def test_a_page_without_such_words_has_no_box() -> None:
    assert not AppTest.from_function(page, args=("Nothing here.",)).run().expander


OTHER_SIGNS = ("\\epsilon", "\\phi", "dL/dy", "\\mu_B", "\\mathrm{lr}")  # for what the glossary writes in another way


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lessons_use_the_symbols_of_the_glossary(lesson: Path) -> None:
    text = lesson.read_text("utf-8")
    assert [sign for sign in OTHER_SIGNS if re.search(re.escape(sign) + r"(?![a-z])", text)] == []
