"""What others get to know of a run, and why one may be refused."""

import threading
import time
from dataclasses import dataclass

from bnviz.config.studies import AnyConfig
from bnviz.records.records import RunState
from bnviz.runs.journal import Journal
from bnviz.runs.workers.engine import Worker


class UnknownRun(LookupError):
    """No run of this id is known, here or in the store."""


class QueueFull(RuntimeError):
    """No worker is free and no place in the queue; `retry_after` is in seconds."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        super().__init__(f"All workers are busy and {waiting} runs are already waiting. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run at one moment.

    `queue_position` counts from 1 while queued. `cached`: it had finished before it was asked for, so its records
    are replayed. `reason` says why it stopped or failed, in words for the visitor. `watchers` counts open streams.
    """

    id: str
    config: AnyConfig
    state: RunState
    queue_position: int | None
    frames: int
    step: int
    reason: str | None
    cached: bool
    watchers: int


class LiveRun:
    """The service's own notes on a run. `lock` guards the end of the journal, all else is the service's lock's.

    Take `lock` before the service's lock, never after it.
    """

    def __init__(self, config: AnyConfig) -> None:
        self.id, self.config = config.run_id, config
        self.journal = Journal()
        self.lock = threading.Lock()
        self.state: RunState = "queued"
        self.reason: str | None = None
        self.queue_position: int | None = None
        self.watchers = 0
        self.worker: Worker | None = None
        self.watched_at = self.heard_at = self.started_at = time.monotonic()
        self.ended_at: float | None = None
        self.killed = False

    @property
    def over(self) -> bool:
        """It has ended, well or not."""
        return self.state not in ("queued", "running")

    def status(self, cached: bool = False) -> RunStatus:
        """Take a snapshot."""
        journal = self.journal
        return RunStatus(
            id=self.id,
            config=self.config,
            state=self.state,
            queue_position=self.queue_position,
            frames=journal.frame_count,
            step=journal.step,
            reason=self.reason,
            cached=cached,
            watchers=self.watchers,
        )
