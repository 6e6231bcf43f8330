"""Declarations are read from files that are never run."""

from dataclasses import dataclass

import pytest

from bnviz.registry import declared as module
from bnviz.registry.declared import BadDeclaration, Entry, declared


@dataclass(frozen=True, kw_only=True)
class ToyEntry(Entry):
    label: str
    sizes: tuple[int, ...] = ()


HEAD = "raise RuntimeError('this file was run')\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", tmp_path)
    folder = tmp_path / "toys"
    folder.mkdir()
    declared.cache_clear()
    yield folder
    declared.cache_clear()


def test_entries_are_read_in_the_order_of_their_places_and_nothing_is_run(package):
    (package / "b.py").write_text(HEAD + "@ToyEntry(name='late', label='L')\ndef late(): ...\n")
    (package / "a.py").write_text(
        HEAD + "@ToyEntry(name='zebra', label='Z', place=2)\n@other\nclass Zebra:\n    '''Stripes.'''\n\n\n"
        "@ToyEntry(name='ant', label='A', place=2, sizes=(1, -2))\nclass Ant: ...\n\n\n@Other(name='x')\nclass X: ...\n"
    )
    found = declared(ToyEntry, "toys")
    assert list(found) == ["ant", "zebra", "late"]
    assert found["zebra"] == ToyEntry(name="zebra", label="Z", place=2, module="toys.a", target="Zebra", doc="Stripes.")
    assert found["ant"].sizes == (1, -2)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("@ToyEntry(name=NAME, label='L')", r"a.py, line 1: ToyEntry takes literals only"),
        ("@ToyEntry('x', label='L')", "takes its fields by name"),
        ("@ToyEntry(**fields)", "takes its fields by name"),
        ("@ToyEntry(name='x')", "label"),
        ("@ToyEntry(name='x', label='L', colour=1)", "colour"),
        (
            "@ToyEntry(name='x', label='L')\nclass Same: ...\n\n\n@ToyEntry(name='x', label='M')",
            "x is declared in toys.a already",
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(package, source, said):
    (package / "a.py").write_text(f"{source}\nclass A: ...\n")
    with pytest.raises(BadDeclaration, match=said):
        declared(ToyEntry, "toys")


def test_an_entry_leaves_what_it_declares_as_it_is_and_loads_it():
    def target() -> int:
        return 3

    entry = ToyEntry(name="x", label="X", module=__name__, target="HEAD")
    assert entry(target) is target
    assert entry.load() is HEAD


def test_the_sentence_of_an_entry_is_the_first_paragraph_of_what_it_declares():
    assert ToyEntry(name="x", label="X", doc="One thing,\n  said once.\n\nMore.").sentence == "One thing, said once."
    assert ToyEntry(name="x", label="X").sentence == ""
