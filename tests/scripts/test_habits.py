"""The check of habits finds what it is meant to find, and nothing else."""

import ast
import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("habits", Path(__file__).parents[2] / "scripts" / "habits.py")
assert spec
assert spec.loader
habits = importlib.util.module_from_spec(spec)
spec.loader.exec_module(habits)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(habits, "ROOT", tmp_path)
    (tmp_path / "bnviz").mkdir()
    (tmp_path / "pages").mkdir()
    return tmp_path


def problems(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return list(habits._problems(path))


def test_a_function_of_thirty_lines_is_fine_and_one_more_is_not(folder):
    body = ['    """A docstring\n    of two lines."""', "    # a comment", ""] + ["    x = 1"] * 29
    assert not problems(folder / "bnviz" / "a.py", "def f():\n" + "\n".join(body))
    (found,) = problems(folder / "bnviz" / "a.py", "def f():\n" + "\n".join([*body, "    x = 1"]))
    assert found == "bnviz/a.py:1: f has 31 lines of code, at most 30"


def test_files_and_pages_have_their_own_limits(folder):
    assert problems(folder / "bnviz" / "a.py", "x = 1\n" * 301) == ["bnviz/a.py: 301 lines, at most 300"]
    assert problems(folder / "pages" / "a.py", "x = 1\n" * 81) == ["pages/a.py: 81 lines, at most 80"]
    assert not problems(folder / "pages" / "a.py", "x = 1\n" * 80)


def test_an_exception_is_a_line_with_its_reason(folder, monkeypatch):
    monkeypatch.setattr(habits, "EXCEPTIONS", {"bnviz/a.py": "a table"})
    assert not problems(folder / "bnviz" / "a.py", "x = 1\n" * 301)


@pytest.mark.parametrize(
    ("signature", "doc", "is_fine"),
    [
        ("f(x: Tensor) -> float", "The mean.", False),
        ("f(x: Tensor) -> float", "The mean of (trials, units).", True),
        ("f(x: Tensor) -> float", "The mean, element by element.", True),
        ("f() -> NDArray[np.float64]", "All of them, shape (n,).", True),
        ("f() -> NDArray[np.float64]", "All of them (so it seems).", False),
        ("_f(x: Tensor) -> float", "The mean.", True),
        ("f(x: float) -> float", "The mean.", True),
    ],
)
def test_public_functions_with_arrays_say_their_shapes(folder, signature, doc, is_fine):
    found = problems(folder / "bnviz" / "a.py", f'def {signature}:\n    """{doc}"""\n')
    assert bool(found) != is_fine


def test_a_method_that_overrides_has_its_parents_docstring():
    (node,) = ast.parse("@override\ndef f(x: Tensor) -> Tensor:\n    return x").body
    assert habits.says_shapes(node)
