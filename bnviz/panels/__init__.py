"""The panels that a run can be watched in, by name."""

from collections.abc import Callable

from bnviz.panels.explore import ExploreEncoder
from bnviz.panels.protocol import Message
from bnviz.panels.study import StudyEncoder
from bnviz.records.encoder import Encoder

PANELS: dict[str, Callable[[], Encoder[Message]]] = {"explore": ExploreEncoder, "study": StudyEncoder}
