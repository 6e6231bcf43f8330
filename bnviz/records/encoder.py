"""What turns the records of one run into messages."""

from typing import Any, Protocol, TypeVar

from bnviz.records.records import RunEnded

MessageT = TypeVar("MessageT", covariant=True)


class Encoder(Protocol[MessageT]):
    """Turns records into messages; called once with each, in order, so it may keep state.

    `bnviz.panels` has encoders to what a panel draws, `bnviz.web.sse` one from there to bytes.
    """

    def start(self, started: Any, /) -> MessageT:
        """The first message."""
        ...

    def frame(self, measured: Any, /) -> MessageT:
        """The message of a frame."""
        ...

    def end(self, ended: RunEnded, /) -> MessageT:
        """The last message."""
        ...
