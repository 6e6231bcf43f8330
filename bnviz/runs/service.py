"""Starts, shares, limits and ends runs; used by Streamlit's script threads and by the API's event loop alike.

    submit -> queued -> running -> finished          reader thread (one a run): worker -> journal, then the store
                   '-> stopped | failed <-'          keeper thread (one): limits, unwatched runs, the launcher

Equal configurations share one run. No method waits for a worker.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bnviz.config.ceilings import check_cost
from bnviz.config.studies import AnyConfig, StudyConfig
from bnviz.experiments.board.catalog import check_study
from bnviz.records.codec import CodecError, decode
from bnviz.records.records import END_STATES, RunEnded, RunFailed, RunFinished, RunStopped
from bnviz.runs.journal import Journal, OutOfOrder
from bnviz.runs.known import KnownRuns
from bnviz.runs.limits import overdue, oversized
from bnviz.runs.settings import ServerSettings, read_settings
from bnviz.runs.singleton import set_singleton, singleton
from bnviz.runs.status import LiveRun, QueueFull, RunStatus, UnknownRun
from bnviz.runs.workers.engine import Engine, EngineUnavailable, LocalEngine
from bnviz.runs.workers.protocol import RECORD, TRACEBACK

__all__ = ["QueueFull", "RunService", "RunStatus", "UnknownRun", "get_service", "set_service"]

KEEPER_SECONDS = 0.25  # how often limits are looked at
KEEPER_JOIN_SECONDS = 1.0
TERMINATE_SECONDS = 1.0  # from SIGTERM to SIGKILL
RETRY_AFTER_SECONDS = 10
_log = logging.getLogger("bnviz.runs")


class RunService:
    """All runs of this process; every method may be called from any thread.

    Args:
        settings: limits and sizes.
        engine: where runs are executed; workers on this machine by default.
    """

    def __init__(self, settings: ServerSettings, engine: Engine | None = None) -> None:
        self.settings = settings
        self.engine = engine or LocalEngine(worker_mb=settings.worker_mb)
        self.started_at = time.monotonic()
        self._lock = threading.RLock()
        self._known = KnownRuns(settings, self._lock)
        self._queue: deque[LiveRun] = deque()
        self._active: set[LiveRun] = set()  # with a worker, or about to have one
        self._keeper: threading.Thread | None = None
        self._closing = threading.Event()

    def start(self) -> None:
        """Get ready for the first run, also after `close`; does nothing while it is started."""
        self._closing.clear()
        self._start_keeper()

    def close(self) -> None:
        """Stop every run and end all processes."""
        self._closing.set()
        live = self._known.live()
        if self._keeper:
            self._keeper.join(KEEPER_JOIN_SECONDS)  # it must not start the launcher again
        for run in live:
            self._end(run, RunStopped(run.journal.step, "The server is stopping."))
        self.engine.close()
        for run in live:
            if run.worker:  # of an engine that outlives this service
                run.worker.terminate()
        self._known.close()

    def submit(self, config: AnyConfig) -> RunStatus:
        """Start a run, or join the one of an equal configuration; one that stopped or failed is started again.

        Raises:
            CostTooHigh: the configuration asks for too much work.
            UnknownPart, pydantic.ValidationError: a study that is none.
            QueueFull: neither a worker nor a place in the queue is free.
        """
        if isinstance(config, StudyConfig):
            check_study(config)
        else:
            check_cost(config)
        self._start_keeper()
        run = self._known.find(config.run_id)
        with self._lock:
            run = self._known.held(config.run_id) or run
            if run is None or run.state in ("stopped", "failed"):
                run = self._enqueue(config)
            run.watched_at = time.monotonic()
            return run.status(cached=run.state == "finished")

    def status(self, run_id: str) -> RunStatus:
        """How a run is doing; asking counts as watching. Raises `UnknownRun`."""
        run = self.live(run_id)
        run.watched_at = time.monotonic()
        return run.status(cached=run.state == "finished")

    def stop(self, run_id: str, reason: str = "Stopped by the visitor.") -> RunStatus:
        """End a run now; one that has ended stays as it is. Raises `UnknownRun`."""
        run = self.live(run_id)
        self._end(run, RunStopped(run.journal.step, reason))
        return run.status()

    def journal(self, run_id: str) -> Journal:
        """The run's records, growing while it runs. Raises `UnknownRun`."""
        return self.live(run_id).journal

    def live(self, run_id: str) -> LiveRun:
        """The service's notes on a run, to be read only. Raises `UnknownRun`."""
        run = self._known.find(run_id)
        if run is None:
            raise UnknownRun(run_id)
        return run

    @contextmanager
    def watch(self, run_id: str) -> Iterator[LiveRun]:
        """Count as somebody who watches the run while inside. Raises `UnknownRun`."""
        run = self.live(run_id)
        with self._lock:
            run.watchers += 1
        try:
            yield run
        finally:
            with self._lock:
                run.watchers -= 1
                run.watched_at = time.monotonic()

    def counts(self) -> dict[str, int]:
        """Workers in use and allowed, runs queued and places there are."""
        with self._lock:
            busy, queued = len(self._active), len(self._queue)
        limits = {"workers_max": self.settings.max_workers, "queue_size": self.settings.queue_size}
        return {"workers_busy": busy, "queued": queued, **limits}

    def _start_keeper(self) -> None:
        with self._lock:
            if not (self._closing.is_set() or (self._keeper and self._keeper.is_alive())):
                self._keeper = threading.Thread(target=self._keep, name="bnviz-keeper", daemon=True)
                self._keeper.start()

    def _enqueue(self, config: AnyConfig) -> LiveRun:
        if len(self._active) >= self.settings.max_workers and len(self._queue) >= self.settings.queue_size:
            raise QueueFull(len(self._queue), RETRY_AFTER_SECONDS)
        run = LiveRun(config)
        self._known.add(run)
        self._queue.append(run)
        self._fill_workers()
        return run

    def _fill_workers(self) -> None:
        """Start what may start and tell the others their new place."""
        while self._queue and len(self._active) < self.settings.max_workers and not self._closing.is_set():
            run = self._queue.popleft()
            run.state, run.queue_position = "running", None
            run.started_at = run.heard_at = time.monotonic()
            self._active.add(run)
            threading.Thread(target=self._execute, args=(run,), name=f"bnviz-run-{run.id}", daemon=True).start()
            run.journal.wakeup.notify()
        for position, run in enumerate(self._queue, 1):
            if run.queue_position != position:
                run.queue_position = position
                run.journal.wakeup.notify()

    def _execute(self, run: LiveRun) -> None:
        """The reader thread: from the start of the worker to its last byte."""
        try:
            self._read_worker(run)
        except EngineUnavailable as error:
            self._end(run, RunFailed(0, str(error)))
        except Exception:
            _log.exception("run %s: its reader broke", run.id)
            self._end(run, RunFailed(run.journal.step, "The server could not read the run's records."))
        finally:
            with self._lock:
                self._active.discard(run)
                self._fill_workers()
        if run.state == "finished":
            self._known.save(run)

    def _read_worker(self, run: LiveRun) -> None:
        worker = self.engine.launch(run.config)
        run.heard_at = time.monotonic()
        run.worker = worker
        if run.over:  # stopped while the worker was starting
            worker.terminate()
        for message in worker.messages():
            run.heard_at = time.monotonic()
            self._receive(run, message)
        how = worker.wait()
        if not run.over:
            self._end(run, RunFailed(run.journal.step, f"The worker process died ({how or 'no reason given'}). Run it again."))

    def _receive(self, run: LiveRun, message: bytes) -> None:
        kind, payload = message[:1], message[1:]
        if kind == TRACEBACK:
            _log.error("run %s broke in its worker:\n%s", run.id, payload.decode(errors="replace"))
        elif kind == RECORD and not run.over:
            try:
                self._take(run, payload)
            except (CodecError, OutOfOrder) as error:
                _log.error("run %s: %s", run.id, error)
                self._end(run, RunFailed(run.journal.step, "The worker sent something that is not a record."))

    def _take(self, run: LiveRun, payload: bytes) -> None:
        record = decode(payload)
        if isinstance(record, RunEnded):
            self._end(run, record)
            return
        with run.lock:
            if not run.over:
                run.journal.append(record, payload)
        if ended := oversized(run, self.settings):
            self._end(run, ended)

    def _end(self, run: LiveRun, record: RunEnded) -> None:
        """Write the run's last record, once; whoever comes later changes nothing."""
        with run.lock:
            if run.over:
                return
            with self._lock:
                run.state, run.reason = END_STATES[type(record)], getattr(record, "reason", None)
                run.ended_at, run.queue_position = time.monotonic(), None
                if run in self._queue:
                    self._queue.remove(run)
                    self._fill_workers()
            run.journal.append(record)
        _log.log(logging.WARNING if run.state == "failed" else logging.INFO, "run %s %s: %s", run.id, run.state, run.reason or "")
        if run.worker and not isinstance(record, RunFinished) and not self._closing.is_set():
            run.worker.terminate()

    def _keep(self) -> None:
        """The keeper thread."""
        self._known.open()
        while not self._closing.is_set():
            try:
                self.engine.start()
                with self._lock:
                    live = [*self._active, *self._queue]
                for run in live:
                    self._limit(run, time.monotonic())
                self._known.forget(self._active, time.monotonic())
            except Exception:
                _log.exception("the keeper broke and goes on")
            self._closing.wait(KEEPER_SECONDS)

    def _limit(self, run: LiveRun, now: float) -> None:
        if run.over:
            self._kill_late(run, now)
            return
        if ended := overdue(run, self.settings, now):
            self._end(run, ended)

    def _kill_late(self, run: LiveRun, now: float) -> None:
        """SIGKILL for a worker that SIGTERM has not ended."""
        if run.worker and run.ended_at and now - run.ended_at > TERMINATE_SECONDS and not run.killed:
            run.killed = True
            run.worker.kill()


def get_service() -> RunService:
    """The service of this process, made when first asked for. Raises `BadSetting`."""
    return singleton("service", lambda: RunService(read_settings()))


def set_service(service: RunService) -> None:
    """Use another one from now on: for tests and benchmarks, before anything has asked for it."""
    set_singleton("service", service)
