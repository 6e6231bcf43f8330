"""Lessons are taken apart by their headings, and one that lacks a section is refused by name."""

import pytest

from bnviz.experiments.board.lessons import LessonError, lesson, parse

TEXT = """# Title

Opening.

Second paragraph.

## one

### Why
Because $a^2$.

### Caveat
But.

## two

### Why

Since.
### Caveat

Not always.
"""


def test_the_sections_are_found():
    found = parse(TEXT, "x.md")
    assert found.opening == "Opening.\n\nSecond paragraph."
    assert list(found.parts) == ["one", "two"]
    assert (found.parts["one"].why, found.parts["one"].caveat) == ("Because $a^2$.", "But.")
    assert (found.parts["two"].why, found.parts["two"].caveat) == ("Since.", "Not always.")


def test_a_missing_section_is_named():
    with pytest.raises(LessonError, match=r"x\.md, part two: expected sections: Why and Caveat; found: Why"):
        parse(TEXT.replace("### Caveat\n\nNot always.\n", ""), "x.md")


def test_a_missing_lesson_is_named():
    with pytest.raises(LessonError, match=r"huge\.md"):
        lesson("huge")
