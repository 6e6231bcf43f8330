"""Write assets/live_panel/protocol.d.ts from the types of `bnviz.charts.wire` and `bnviz.panels.protocol`.

python scripts/build_protocol.py           write it
python scripts/build_protocol.py --check   exit with 1 when it is not what would be written
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from typing_extensions import is_typeddict

sys.path.insert(0, str(Path(__file__).parents[1]))

from bnviz.charts import wire
from bnviz.panels import protocol

FILE = Path(__file__).parents[1] / "assets" / "live_panel" / "protocol.d.ts"
NOTICE = "// Written by scripts/build_protocol.py from the types in Python; `make docs` writes it again.\n"
PLAIN = {str: "string", bool: "boolean", int: "number", float: "number", NoneType: "null", Any: "unknown"}
ALIASES: dict[str, Any] = {  # what has a name of its own in the JavaScript too
    "Value": wire.Value,
    "Point": wire.Point,
    "Whole": wire.Whole,
    "Series": wire.Series,
    "Views": wire.Views,
    "Kind": wire.Kind,
    "Shape": wire.Shape,
    "RunState": protocol.RunState,
    "EndState": protocol.EndState,
}


def written() -> str:
    """The text of protocol.d.ts."""
    aliases = [f"export type {name} = {_expanded(hint)};\n" for name, hint in ALIASES.items()]
    types = [each for module in (wire, protocol) for each in vars(module).values() if is_typeddict(each)]
    return "\n".join([NOTICE, *aliases, *(_interface(each) for each in dict.fromkeys(types))])


def _interface(typed: Any) -> str:
    """A typed dict as an interface; one that is open has further keys of which nothing is known."""
    hints = get_type_hints(typed, include_extras=True)
    fields = [f"  {name}{'' if name in typed.__required_keys__ else '?'}: {_type(hint)};" for name, hint in hints.items()]
    if typed.__closed__ is None:
        fields.append("  [key: string]: unknown;")
    doc = " ".join((typed.__doc__ or "").split())
    return "\n".join([f"/** {doc} */", f"export interface {typed.__name__} {{", *fields, "}", ""])


def _type(hint: Any) -> str:
    """A hint in TypeScript, by its name where it has one."""
    return next((name for name, alias in ALIASES.items() if alias == hint), None) or _expanded(hint)


def _expanded(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if is_typeddict(hint):
        return hint.__name__
    if origin in (Annotated, NotRequired):
        return _type(parts[0])
    if origin is Literal:
        return " | ".join(f'"{part}"' for part in parts)
    if origin in (UnionType, Union):
        return " | ".join(dict.fromkeys(map(_type, parts)))
    if origin is tuple and parts[-1] is not ...:
        return f"[{', '.join(map(_type, parts))}]"
    if origin in (tuple, list, Sequence):
        return f"Array<{_type(parts[0])}>"
    if origin in (dict, Mapping):
        return f"Record<string, {_type(parts[1])}>"
    raise TypeError(f"no TypeScript is known for {hint}")


def main() -> int:
    """Write the file, or with --check only compare it."""
    is_current = FILE.exists() and FILE.read_text("utf-8") == written()
    if "--check" in sys.argv[1:]:
        print(f"{FILE.name} is current" if is_current else f"{FILE.name} is not current: run make docs")
        return not is_current
    if not is_current:
        FILE.write_text(written(), "utf-8")
        print(f"wrote {FILE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
