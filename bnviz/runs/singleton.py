"""One object per process, which survives when modules are loaded again.

While developing, Streamlit drops all modules of an app of which one was edited; a page would then make a second
service, whose runs the API does not know. A module without a file is left alone, so the object is kept in one.
"""

import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

_HOME = "bnviz._singletons"
_lock = threading.Lock()


def singleton(name: str, build: Callable[[], Any]) -> Any:
    """The object of this name, built when it is first asked for."""
    with _lock:
        objects = sys.modules.setdefault(_HOME, ModuleType(_HOME)).__dict__
        if name not in objects:
            objects[name] = build()
        return objects[name]


def set_singleton(name: str, value: Any) -> None:
    """Use this object from now on."""
    with _lock:
        sys.modules.setdefault(_HOME, ModuleType(_HOME)).__dict__[name] = value
