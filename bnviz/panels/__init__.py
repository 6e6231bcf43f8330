"""The panels that a run can be watched in, by name."""

from collections.abc import Callable
from typing import Any, Protocol

from bnviz.panels.explore import ExploreEncoder
from bnviz.records import RunEnded, RunStarted, StepMeasured


class PanelEncoder(Protocol):
    """Turns the records of one run into JSON-safe dicts; called once with each, in order."""

    def start(self, started: RunStarted, /) -> dict[str, Any]:
        """The skeleton that the browser draws frames into."""
        ...

    def frame(self, measured: StepMeasured, /) -> dict[str, Any]:
        """One frame."""
        ...

    def end(self, ended: RunEnded, /) -> dict[str, Any]:
        """How the run ended."""
        ...


PANELS: dict[str, Callable[[], PanelEncoder]] = {"explore": ExploreEncoder}
