"""A run's records as they come in, and the same as messages for subscribers, encoded once for all of them.

reader thread --append--> Journal --pump--> Feed (one a panel): start, frames[0..n), end
                            |                 ^ subscribers are indices into `frames`
                            '-> Wakeup: one call into each event loop a record, however many wait there
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from bnviz.records.codec import encode
from bnviz.records.encoder import Encoder
from bnviz.records.records import Measured, Record, RunEnded, Started

_log = logging.getLogger("bnviz.runs")


class OutOfOrder(ValueError):
    """A record came that may not follow the ones before."""


class Wakeup:
    """Lets coroutines of any event loop wait for the next change that another thread makes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, set[asyncio.Event]] = {}
        self._scheduled: set[asyncio.AbstractEventLoop] = set()

    def add(self, event: asyncio.Event) -> None:
        """Set the event, which belongs to the running loop, at every change from now on."""
        with self._lock:
            self._waiting.setdefault(asyncio.get_running_loop(), set()).add(event)

    def remove(self, event: asyncio.Event) -> None:
        """Forget the event of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            events = self._waiting.get(loop, set())
            events.discard(event)
            if not events:
                self._waiting.pop(loop, None)

    def notify(self) -> None:
        """Tell every waiting loop once, from any thread; calls before it has reacted are merged."""
        with self._lock:
            loops = [loop for loop in self._waiting if loop not in self._scheduled]
            self._scheduled.update(loops)
        for loop in loops:
            try:
                loop.call_soon_threadsafe(self._set_events, loop)
            except RuntimeError:  # the loop has been closed, and with it all who waited there
                with self._lock:
                    self._waiting.pop(loop, None)
                    self._scheduled.discard(loop)

    def _set_events(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._scheduled.discard(loop)
            events = tuple(self._waiting.get(loop, ()))
        for event in events:
            event.set()


class Feed:
    """The messages of one encoder for one journal. Lists only grow; reading them needs no lock."""

    def __init__(self, encoder: Encoder[bytes]) -> None:
        self.start: bytes | None = None
        self.frames: list[bytes] = []
        self.end: bytes | None = None
        self.error: Exception | None = None
        self.bytes = 0
        self._encoder = encoder
        self._lock = threading.Lock()
        self._next = 0

    def pump(self, journal: "Journal") -> None:
        """Encode the records that are not encoded yet; an encoder that raises leaves the feed with `error`."""
        with self._lock:
            while self.error is None and self._next < len(journal):
                try:
                    self._encode(journal[self._next])
                except Exception as error:
                    _log.exception("record %d cannot be encoded", self._next)
                    self.error = error
                self._next += 1
                journal.wakeup.notify()

    def _encode(self, record: Record) -> None:
        if isinstance(record, Started):
            self.start = message = self._encoder.start(record)
        elif isinstance(record, Measured):
            message = self._encoder.frame(record)
            self.frames.append(message)
        else:
            self.end = message = self._encoder.end(record)
        self.bytes += len(message)


class Journal(Sequence[Record]):
    """Records in the order of `bnviz.records.records`, appended by one thread and read by any."""

    def __init__(self) -> None:
        self.wakeup = Wakeup()
        self.record_bytes = 0
        self.payloads: list[bytes] = []
        self._records: list[Record] = []
        self._feeds: dict[str, Feed] = {}
        self._lock = threading.Lock()

    def append(self, record: Record, payload: bytes = b"") -> None:
        """Add the next record and hand it to the feeds; `payload` is the record encoded, whose buffers it may share.

        Raises:
            OutOfOrder: it may not come here.
        """
        self._check(record)
        self.payloads.append(payload or encode(record))
        self.record_bytes += len(self.payloads[-1])
        self._records.append(record)
        for feed in list(self._feeds.values()):
            feed.pump(self)
        self.wakeup.notify()

    def _check(self, record: Record) -> None:
        if self.ended:
            raise OutOfOrder("a record after the end of the run")
        if isinstance(record, Measured) and record.frame != self.frame_count:
            raise OutOfOrder(f"frame {record.frame} where frame {self.frame_count} is next")
        if isinstance(record, Started) == bool(self._records) and not isinstance(record, RunEnded):
            raise OutOfOrder(f"{type(record).__name__} as record {len(self._records)}")

    def feed(self, name: str, build: Callable[[], Encoder[bytes]]) -> Feed:
        """The feed of this name, made when it is first asked for; a thread then encodes what is there already."""
        with self._lock:
            if feed := self._feeds.get(name):
                return feed
            feed = self._feeds[name] = Feed(build())
        threading.Thread(target=feed.pump, args=(self,), name=f"bnviz-feed-{name}", daemon=True).start()
        return feed

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    @property
    def frame_count(self) -> int:
        """`StepMeasured` records so far."""
        return max(0, len(self._records) - 1 - (self.ended is not None))

    @property
    def step(self) -> int:
        """The step of the last record that has one; 0 before."""
        last = self._records[-1] if self._records else None
        return 0 if last is None or isinstance(last, Started) else last.step

    @property
    def ended(self) -> RunEnded | None:
        """The last record, when it ends the run."""
        last = self._records[-1] if self._records else None
        return last if isinstance(last, RunEnded) else None

    @property
    def bytes(self) -> int:
        """What records and messages take, in bytes."""
        return self.record_bytes + sum(feed.bytes for feed in list(self._feeds.values()))
