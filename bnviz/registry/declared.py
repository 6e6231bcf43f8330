"""Declarations: what an extension says of itself, read from its file without running it.

    @NormEntry(name="layer", label="layer norm", ...)           in bnviz/nets/norms/layer.py
    class LayerNorm(Norm): ...

    declared(NormEntry, "bnviz.nets.norms") -> {"layer": NormEntry(name="layer", ..., target="LayerNorm", doc="...")}

An entry stands above the class or function that it declares, with literals only. So the web process, which never loads torch,
knows the names, labels and units of all that needs torch to run; whoever runs it asks the entry to `load` it.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

PACKAGES = Path(__file__).parents[2]  # the folder that holds bnviz/
LAST = 1000  # the place of what asks for none

Target = TypeVar("Target")


class BadDeclaration(ValueError):
    """A declaration that cannot be read; the text says where it stands and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What every kind of extension says of itself.

    Args:
        name: in configurations, links and tables; unique among its kind.
        place: in lists, from low to high; of equal places the names decide.
        module, target, doc: filled in when the declaration is read: where it stands, what it declares, its docstring.
    """

    name: str
    place: int = LAST
    module: str = ""
    target: str = ""
    doc: str = ""

    def __call__(self, target: Target) -> Target:
        """Decorate: the class or function stays as it is."""
        return target

    @property
    def sentence(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join(self.doc.partition("\n\n")[0].split())

    def load(self) -> Any:
        """The class or function itself; imports its module, and torch with it where that needs it."""
        return getattr(import_module(self.module), self.target)


AnyEntry = TypeVar("AnyEntry", bound=Entry)


@cache
def declared(kind: type[AnyEntry], package: str) -> Mapping[str, AnyEntry]:
    """All entries of a kind in the modules of a package, by name, in the order of their places.

    Args:
        kind: whose calls stand above what is declared.
        package: dotted name; its modules are read, those of packages in it are not.

    Raises:
        BadDeclaration: an entry is not made of literals, does not fit its kind, or has the name of another.
    """
    folder = PACKAGES.joinpath(*package.split("."))
    found: dict[str, AnyEntry] = {}
    for path in sorted(folder.glob("*.py")):
        for entry in _entries(kind, path, f"{package}.{path.stem}".removesuffix(".__init__")):
            if entry.name in found:
                raise BadDeclaration(f"{path.name}: {entry.name} is declared in {found[entry.name].module} already")
            found[entry.name] = entry
    ordered = sorted(found.values(), key=lambda entry: (entry.place, entry.name))
    return MappingProxyType({entry.name: entry for entry in ordered})


def _entries(kind: type[AnyEntry], path: Path, module: str) -> Iterator[AnyEntry]:
    """The entries of one file, from top to bottom."""
    for node in ast.parse(path.read_text("utf-8"), path.name).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == kind.__name__:
                    doc = ast.get_docstring(node) or ""
                    yield replace(_entry(kind, call, path.name), module=module, target=node.name, doc=doc)


def _entry(kind: type[AnyEntry], call: ast.Call, file: str) -> AnyEntry:
    if call.args or any(keyword.arg is None for keyword in call.keywords):
        raise BadDeclaration(f"{file}, line {call.lineno}: {kind.__name__} takes its fields by name")
    try:
        fields = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except ValueError as error:
        raise BadDeclaration(f"{file}, line {call.lineno}: {kind.__name__} takes literals only: {error}") from error
    try:
        return kind(**fields)
    except (TypeError, BadDeclaration) as error:
        raise BadDeclaration(f"{file}, line {call.lineno}: {error}") from error
