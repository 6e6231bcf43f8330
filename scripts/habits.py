"""The habits that ruff and pyright do not know: sizes, and shapes in the docstrings of what takes or gives arrays.

python scripts/habits.py        print what breaks them and exit with 1; `make lint` runs it

A function has at most 30 lines of code (without docstring, comments and blank lines), a file at most 300, a page at most 80. A
public function or method with arrays among its arguments or results says their shapes: "(trials, layers)", "shape (n,)",
"element by element". An exception is an entry of EXCEPTIONS, with its reason.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("app.py", "conftest.py", "pages", "bnviz", "scripts", "benchmarks", "tests")
FUNCTION, FILE, PAGE = 30, 300, 80
EXCEPTIONS: dict[str, str] = {}  # "bnviz/file.py:function" or "bnviz/file.py": why it may be longer, or say no shape
ARRAYS = re.compile(r"\b(Tensor|NDArray|ArrayLike|FloatArray|ndarray)\b")
SHAPES = re.compile(r"\([^()]*(\w|\.\.\.),|\bshapes?\b|element by element|\bflat\b|\ba number\b", re.IGNORECASE)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    """Check all files; 1 where something was found."""
    found = [problem for path in _files() for problem in _problems(path)]
    print("\n".join(found) or "Habits kept: sizes and shapes.")
    return int(bool(found))


def _files() -> Iterator[Path]:
    for name in CODE:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]
    yield from sorted((ROOT / "assets").rglob("*.js"))


def _problems(path: Path) -> Iterator[str]:
    """What breaks a habit in one file."""
    name, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
    lines = text.splitlines()
    most = PAGE if name.startswith("pages/") else FILE
    if len(lines) > most and name not in EXCEPTIONS:
        yield f"{name}: {len(lines)} lines, at most {most}"
    if path.suffix != ".py":
        return
    for node, public in _functions(ast.parse(text), True):
        place = f"{name}:{node.name}"
        size = code_lines(node, lines)
        if place in EXCEPTIONS:
            continue
        if size > FUNCTION:
            yield f"{name}:{node.lineno}: {node.name} has {size} lines of code, at most {FUNCTION}"
        if public and name.startswith("bnviz/") and not says_shapes(node):
            yield f"{name}:{node.lineno}: {node.name} takes or gives arrays and its docstring says no shape"


def _functions(node: ast.AST, public: bool) -> Iterator[tuple[Function, bool]]:
    """Every function, and whether it can be called from outside."""
    for child in ast.iter_child_nodes(node):
        inner = public
        if isinstance(child, Function | ast.ClassDef):
            inner = public and not child.name.startswith("_")
        if isinstance(child, Function):
            yield child, inner
            inner = False
        yield from _functions(child, inner)


def code_lines(node: Function, lines: list[str]) -> int:
    """Lines of a function that are neither blank nor comment nor docstring."""
    doc = node.body[0] if ast.get_docstring(node) is not None else None
    skipped = range(doc.lineno, (doc.end_lineno or doc.lineno) + 1) if doc else ()
    rows = [lines[row - 1].strip() for row in range(node.lineno, (node.end_lineno or node.lineno) + 1) if row not in skipped]
    return sum(1 for row in rows if row and not row.startswith("#"))


def says_shapes(node: Function) -> bool:
    """Whether the docstring of a function with arrays says their shapes; overriding methods have their parent's."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    hints = [ast.unparse(hint) for hint in (node.returns, *(argument.annotation for argument in arguments)) if hint]
    overrides = any(ast.unparse(decorator) == "override" for decorator in node.decorator_list)
    if overrides or not any(ARRAYS.search(hint) for hint in hints):
        return True
    return bool(SHAPES.search(ast.get_docstring(node) or ""))


if __name__ == "__main__":
    sys.exit(main())
