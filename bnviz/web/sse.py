"""Server-sent events: records as JSON, and the response that sends a feed of it to one subscriber.

event: status  -> first and whenever it changes before the end
event: panel   -> what the browser draws into              (of RunStarted, StudyStarted)
event: frame   -> id: <frame>, what it draws               (of StepMeasured, StageMeasured)
event: finished | stopped | failed -> how it ended, then the stream ends

What is in them for a panel: `bnviz.panels.protocol`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bnviz.panels.protocol import End, Status
from bnviz.records.encoder import Encoder
from bnviz.records.records import END_STATES, Measured, RunEnded, RunState, Started
from bnviz.runs.journal import Feed
from bnviz.runs.status import LiveRun

PING_SECONDS = 15.0  # proxies close connections on which nothing is said for a minute
RETRY_MILLISECONDS = 1000  # how long a browser waits before it connects again
MAX_WRITE_BYTES = 2**20  # one write of a subscriber that catches up
HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-accel-buffering": "no"}


def as_json(data: Any) -> bytes:
    """JSON without line breaks; what is not a number in `data` becomes null."""
    return to_json(data, inf_nan_mode="null")


def framed(event: str, payload: bytes, frame: int | None = None) -> bytes:
    """One event around JSON without line breaks."""
    number = b"" if frame is None else b"id: %d\n" % frame
    return b"event: %s\n%sdata: %s\n\n" % (event.encode(), number, payload)


class RecordsAsJson:
    """The records themselves, as JSON: for programs that read the stream without a panel."""

    def start(self, started: Any, /) -> dict[str, Any]:
        """All fields of the record."""
        return _json_values(started)

    def frame(self, measured: Any, /) -> dict[str, Any]:
        """All fields of the record."""
        return _json_values(measured)

    def end(self, ended: RunEnded, /) -> dict[str, Any]:
        """All fields of the record."""
        return _json_values(ended)


def _json_values(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _json_values(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _json_values(item) for key, item in value.items()}
    return [_json_values(item) for item in value] if isinstance(value, tuple) else value


class JsonEncoder:
    """Records to JSON, by way of a panel."""

    def __init__(self, panel: Encoder[Any]) -> None:
        self._panel = panel

    def start(self, record: Started) -> bytes:
        """Of the `panel` event."""
        return as_json(self._panel.start(record))

    def frame(self, record: Measured) -> bytes:
        """Of a `frame` event."""
        return as_json(self._panel.frame(record))

    def end(self, record: RunEnded) -> bytes:
        """Of the last event."""
        return as_json(self._panel.end(record))


class Subscriber:
    """One client's place in a feed; `take` gives what is new since the last time."""

    def __init__(self, run: LiveRun, feed: Feed, next_frame: int) -> None:
        self._run, self._feed, self._next = run, feed, next_frame
        self._cached = run.state == "finished"
        self._status: tuple[RunState, int | None] | None = None
        self._started = False
        self.done = False

    def take(self) -> bytes:
        """Bytes to send now, of as many events as are ready; empty when there is nothing new."""
        feed, parts = self._feed, []
        end = feed.end  # read before the frames: none can come after it
        status = (self._run.state, self._run.queue_position)
        if status != self._status and not (self._status and self._run.over):  # the last event tells how it ended
            self._status = status
            parts.append(framed("status", as_json(Status(state=status[0], queue_position=status[1], cached=self._cached))))
        if not self._started and feed.start is not None:
            self._started = True
            parts.append(framed("panel", feed.start))
        size, frames = 0, feed.frames
        while self._next < len(frames) and size < MAX_WRITE_BYTES:
            parts.append(framed("frame", frames[self._next], self._next))
            size += len(parts[-1])
            self._next += 1
        if (last := self._last(end)) and self._next >= len(frames):
            parts.append(last)
            self.done = True
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _last(self, end: bytes | None) -> bytes:
        """The event that ends the stream; empty while the run goes on."""
        if end:
            return framed(END_STATES[type(self._run.journal.ended)], end)
        if self._feed.error:
            why = "The server could not draw this run."
            return framed("failed", as_json(End(state="failed", step=self._run.journal.step, reason=why, verdict="")))
        return b""


class EventStream(Response):
    """The response: an ASGI application for one subscriber.

    Written out instead of a `StreamingResponse`: no task group and no timeout per event, which is most of the
    cost when hundreds subscribe.

    Args:
        watch: entered for as long as the client is there; gives the run.
        subscribe: makes the subscriber of a run.
        streams: where it counts as open, to be pinged, and ended when the server stops.
    """

    def __init__(
        self,
        watch: Callable[[], AbstractContextManager[LiveRun]],
        subscribe: Callable[[LiveRun], Subscriber],
        streams: "Streams",
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._watch, self._subscribe, self._streams = watch, subscribe, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the run ends, the client goes or the server stops."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        changed, gone = asyncio.Event(), asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: changed.set())
        with self._watch() as run, self._streams.open(changed):
            run.journal.wakeup.add(changed)
            try:
                async for part in self._parts(self._subscribe(run), changed, gone):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            finally:
                run.journal.wakeup.remove(changed)
                gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _parts(self, subscriber: Subscriber, changed: asyncio.Event, gone: "asyncio.Future[None]") -> AsyncIterator[bytes]:
        loop, quiet_since = asyncio.get_running_loop(), 0.0
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        while not subscriber.done and not gone.done() and not self._streams.closing:
            changed.clear()
            if part := subscriber.take():
                quiet_since = loop.time()
                yield part
            elif loop.time() - quiet_since >= PING_SECONDS:
                quiet_since = loop.time()
                yield b": ping\n\n"
            elif not changed.is_set():
                await changed.wait()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Streams:
    """All open streams of an event loop: pings them, and ends them when the server stops."""

    def __init__(self) -> None:
        self.closing = False
        self._open: set[asyncio.Event] = set()
        self._pinging: asyncio.TimerHandle | None = None

    def open(self, changed: asyncio.Event) -> "_Opened":
        """Count a stream as open while inside; its event is set for pings and at the end."""
        if self._pinging is None:
            self._pinging = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)
        return _Opened(self._open, changed)

    def close(self) -> None:
        """End every stream; on the event loop's thread."""
        self.closing = True
        self._wake()

    def _ping(self) -> None:
        self._wake()
        again = self._open and not self.closing
        self._pinging = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping) if again else None

    def _wake(self) -> None:
        for changed in self._open:
            changed.set()


class _Opened:
    def __init__(self, opened: set[asyncio.Event], changed: asyncio.Event) -> None:
        self._opened, self._changed = opened, changed

    def __enter__(self) -> None:
        self._opened.add(self._changed)

    def __exit__(self, *_: object) -> None:
        self._opened.discard(self._changed)
