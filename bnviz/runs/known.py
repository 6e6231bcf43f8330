"""The runs that the server knows: those in memory, and the finished ones in the store."""

import threading
import time
from collections.abc import Set
from pathlib import Path
from typing import Any

from bnviz.runs.limits import MEGABYTE, forgettable
from bnviz.runs.settings import ServerSettings
from bnviz.runs.status import LiveRun
from bnviz.runs.store import Store


class KnownRuns:
    """Runs by their id; every method may be called from any thread.

    Args:
        settings: where the store is, and how much is kept.
        lock: guards the runs in memory; the service's own, so that it can look and act without anyone in between.
    """

    def __init__(self, settings: ServerSettings, lock: "threading.RLock") -> None:
        self._settings, self._lock = settings, lock
        folder = settings.data_dir.strip()
        self._store = Store(Path(folder).expanduser(), settings.store_mb * MEGABYTE) if folder else None
        self._held: dict[str, LiveRun] = {}  # in the order of their last use

    def open(self) -> None:
        """Open the store; it may have to be read through."""
        if self._store:
            self._store.open()

    def close(self) -> None:
        """Close the store."""
        if self._store:
            self._store.close()

    def find(self, run_id: str) -> LiveRun | None:
        """The run, from memory or else from the store."""
        with self._lock:
            if run := self._held.pop(run_id, None):
                self._held[run_id] = run  # most recently used is last
                return run
        records = self._store.load(run_id) if self._store else None
        return self._restore(run_id, records) if records else None

    def held(self, run_id: str) -> LiveRun | None:
        """The run, when it is in memory."""
        return self._held.get(run_id)

    def live(self) -> list[LiveRun]:
        """All that have not ended."""
        with self._lock:
            return [run for run in self._held.values() if not run.over]

    def add(self, run: LiveRun) -> None:
        """Hold a new run, in place of an earlier one of its id."""
        with self._lock:
            self._held.pop(run.id, None)
            self._held[run.id] = run

    def save(self, run: LiveRun) -> None:
        """Keep a finished run in the store."""
        if self._store:
            self._store.save(run.config, run.journal.payloads)

    def forget(self, busy: Set[LiveRun], now: float) -> None:
        """Drop runs from memory that are too many or too large to be held, but for the busy ones."""
        with self._lock:
            for run in forgettable([run for run in self._held.values() if run not in busy], self._settings, now):
                del self._held[run.id]

    def _restore(self, run_id: str, records: list[Any]) -> LiveRun:
        run = LiveRun(records[0][0].config)
        for record, payload in records:
            run.journal.append(record, payload)
        run.state, run.ended_at = "finished", time.monotonic()
        with self._lock:
            return self._held.setdefault(run_id, run)
