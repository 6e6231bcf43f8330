"""Where runs are executed: here, one process per run on this machine.

    LocalEngine.launch(config) -> Worker: messages() until WorkerDied or the end; terminate(), kill(), wait()

Another engine (a cluster) offers the same two protocols.
"""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import bnviz
from bnviz.config.studies import AnyConfig
from bnviz.runs.workers.protocol import KILL, REPLY, REQUEST, START, TERMINATE, WAIT

START_SECONDS = 60.0  # the first request waits for the launcher to import torch
RESTART_SECONDS = 5.0  # not to be started over and over when it cannot live; a run asks for it at once
EXIT_SECONDS = 0.5  # the launcher ends by itself when its control socket closes, unless it is still starting
MAX_MESSAGE_BYTES = 64 * 2**20
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
_log = logging.getLogger("bnviz.runs")


class EngineUnavailable(RuntimeError):
    """No worker can be started; the message says why."""


class Worker(Protocol):
    """A run being executed somewhere."""

    pid: int

    def messages(self) -> Iterator[bytes]:
        """Yield what the worker sends, until it has closed its end."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...

    def wait(self) -> str:
        """Wait until the process is gone; return how it ended, in words, empty when it ended well."""
        ...


class Engine(Protocol):
    """Starts workers."""

    def start(self) -> None:
        """Get ready, so that the first run starts at once; does nothing when ready."""
        ...

    def launch(self, config: AnyConfig) -> Worker:
        """Start a run; raises `EngineUnavailable`."""
        ...

    def close(self) -> None:
        """End everything that was started."""
        ...


class LocalEngine:
    """Workers forked by a launcher process, which is started again when it has died; thread-safe.

    Args:
        run: `module:function` that workers execute; another than the default is for tests.
        warm_up: `module:function` that the launcher calls once, before the first run; empty for none.
        python_path: folders added to the workers' import path.
        worker_mb: megabytes that a worker may take beyond what it starts with; 0 for no bound.
    """

    def __init__(
        self,
        run: str = "bnviz.runs.workers.execute:run_any",
        warm_up: str = "bnviz.runs.workers.warmup:warm_up",
        python_path: Sequence[str] = (),
        worker_mb: int = 0,
    ) -> None:
        self._arguments = ("--run", run, "--warm-up", warm_up, "--worker-mb", str(worker_mb))
        self._python_path = (str(Path(bnviz.__file__).parents[1]), *python_path)
        self._lock = threading.Lock()
        self._launcher: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._started_at = -RESTART_SECONDS

    @property
    def launcher_pid(self) -> int | None:
        """Process id of the launcher while it lives."""
        launcher = self._launcher
        return launcher.pid if launcher and launcher.poll() is None else None

    def start(self) -> None:
        """Start the launcher unless it lives; it gets ready in the background. Does nothing while it is being asked."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if time.monotonic() > self._started_at + RESTART_SECONDS:
                self._ensure_launcher()
        finally:
            self._lock.release()

    def launch(self, config: AnyConfig) -> "LocalWorker":
        """Start a worker and hand it the configuration.

        Raises:
            EngineUnavailable: the launcher could not be started, or died while asked.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                self._ensure_launcher()
                pid = self._ask_or_discard(theirs)
            connection = Connection(ours.detach())
            connection.send_bytes(config.model_dump_json().encode())
        except OSError as error:
            ours.close()
            raise EngineUnavailable(f"No worker process could be started: {error}") from error
        return LocalWorker(self, pid, connection)

    def _ask_or_discard(self, descriptor: socket.socket) -> int:
        """Ask for a worker; a launcher that does not answer is ended, since a late answer would be taken for the next."""
        try:
            return self._ask(START, 0, descriptor)
        except OSError:
            if self._launcher:
                self._launcher.kill()
                self._launcher.wait()
            raise

    def request(self, request: bytes, pid: int) -> int:
        """Ask the launcher something about a worker; -1 when it knows no such worker or has died."""
        with self._lock:
            try:
                return self._ask(request, pid)
            except OSError:
                return -1

    def close(self) -> None:
        """End the launcher and with it all workers, also while it is still starting."""
        if control := self._control:
            with suppress(OSError):
                control.shutdown(socket.SHUT_RDWR)  # whoever waits for an answer, with the lock, gives up
        with self._lock:
            if self._control:
                self._control.close()
            if self._launcher:
                _join(self._launcher)
            self._launcher = self._control = None

    def _ensure_launcher(self) -> None:
        if self._launcher and self._launcher.poll() is None:
            return
        if self._launcher:
            _log.warning("the launcher ended with status %s and is started again", self._launcher.returncode)
        if self._control:
            self._control.close()
        ours, theirs = socket.socketpair()
        ours.settimeout(START_SECONDS)
        path = os.pathsep.join(filter(None, (*self._python_path, os.environ.get("PYTHONPATH", ""))))
        self._started_at = time.monotonic()
        with theirs:
            self._launcher = subprocess.Popen(  # noqa: S603 - our own arguments
                [sys.executable, "-m", "bnviz.runs.workers.launcher", "--control", str(theirs.fileno()), *self._arguments],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl+C in the terminal is for the web process, which ends us in order
            )
        self._control = ours

    def _ask(self, request: bytes, pid: int, descriptor: socket.socket | None = None) -> int:
        if self._control is None:
            raise ConnectionError("the launcher is not running")
        message = REQUEST.pack(request, pid)
        if descriptor:
            socket.send_fds(self._control, [message], [descriptor.fileno()])
        else:
            self._control.sendall(message)
        answer = b""
        while len(answer) < REPLY.size:
            if not (part := self._control.recv(REPLY.size - len(answer))):
                raise ConnectionError("the launcher has ended")
            answer += part
        return REPLY.unpack(answer)[0]


def _join(launcher: "subprocess.Popen[bytes]") -> None:
    """SIGTERM-join-SIGKILL; the closed control socket has asked it to end already."""
    for end in (launcher.terminate, launcher.kill):
        try:
            launcher.wait(EXIT_SECONDS)
            return
        except subprocess.TimeoutExpired:
            end()
    launcher.wait()


class LocalWorker:
    """A worker process, known by its id and its data socket."""

    def __init__(self, engine: LocalEngine, pid: int, connection: Connection) -> None:
        self._engine, self.pid, self._connection = engine, pid, connection

    def messages(self) -> Iterator[bytes]:
        """Yield what the worker sends, until it has closed its end (or died)."""
        with self._connection:
            while True:
                try:
                    yield self._connection.recv_bytes(MAX_MESSAGE_BYTES)
                except (EOFError, OSError):
                    return

    def terminate(self) -> None:
        """SIGTERM."""
        self._engine.request(TERMINATE, self.pid)

    def kill(self) -> None:
        """SIGKILL."""
        self._engine.request(KILL, self.pid)

    def wait(self) -> str:
        """Wait until the process is gone, and kill it when that takes long; say how it ended."""
        status = self._engine.request(WAIT, self.pid)
        if status == -1:
            return "its launcher ended"
        code = os.waitstatus_to_exitcode(status)
        return "" if code == 0 else f"exit status {code}" if code > 0 else f"killed by signal {-code}"
