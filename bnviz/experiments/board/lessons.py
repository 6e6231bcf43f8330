"""The lessons: what a page says in words, read from `assets/lessons/<experiment>.md`.

# Title, opening paragraph, then for each part:  ## <part id>  ### Why ...  ### Caveat ...
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "assets" / "lessons"


class LessonError(ValueError):
    """A lesson that is not of the form above; the text says where."""


@dataclass(frozen=True)
class PartLesson:
    """The words of one part."""

    why: str
    caveat: str


@dataclass(frozen=True)
class Lesson:
    """The words of an experiment."""

    opening: str
    parts: Mapping[str, PartLesson]


@cache
def lesson(experiment: str) -> Lesson:
    """Read the lesson of an experiment.

    Raises:
        LessonError: there is none, or it lacks a section.
    """
    path = FOLDER / f"{experiment}.md"
    if not path.is_file():
        raise LessonError(f"{path.name}: there is no such lesson")
    return parse(path.read_text("utf-8"), path.name)


def parse(text: str, name: str) -> Lesson:
    """Take a lesson's Markdown apart. Raises `LessonError`."""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    _, _, opening = head.strip().partition("\n")
    parts: dict[str, PartLesson] = {}
    for section in sections:
        title, _, body = section.partition("\n")
        found = dict(re.findall(r"^### (Why|Caveat)[ \t]*\n(.*?)(?=^### |\Z)", body, re.MULTILINE | re.DOTALL))
        if found.keys() != {"Why", "Caveat"}:
            raise LessonError(f"{name}, part {title.strip()}: expected sections: Why and Caveat; found: {', '.join(found)}")
        parts[title.strip()] = PartLesson(found["Why"].strip(), found["Caveat"].strip())
    return Lesson(opening.strip(), parts)
