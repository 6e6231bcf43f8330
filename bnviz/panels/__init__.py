"""The panels that a run can be watched in, by name."""

from collections.abc import Callable
from typing import Any, Protocol

from bnviz.panels.explore import ExploreEncoder
from bnviz.panels.study import StudyEncoder
from bnviz.records.records import RunEnded


class PanelEncoder(Protocol):
    """Turns the records of one run into JSON-safe dicts; called once with each, in order."""

    def start(self, started: Any, /) -> dict[str, Any]:
        """The skeleton that the browser draws frames into."""
        ...

    def frame(self, measured: Any, /) -> dict[str, Any]:
        """One frame."""
        ...

    def end(self, ended: RunEnded, /) -> dict[str, Any]:
        """How the run ended."""
        ...


PANELS: dict[str, Callable[[], PanelEncoder]] = {"explore": ExploreEncoder, "study": StudyEncoder}
