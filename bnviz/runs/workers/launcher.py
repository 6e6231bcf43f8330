"""The process that forks the workers: it has torch loaded, so that a worker is up in milliseconds.

    web process --control socket--> launcher --fork--> worker --data socket--> web process

Why a process of our own: while a page runs, Streamlit replaces `sys.modules["__main__"]` by the page, and children
of `multiprocessing` would run the page again. Here `__main__` is this file, and it never starts a thread, so
that forking is safe.

Requests on the control socket, each answered by one int64 before the next is read:

    S + the data socket (SCM_RIGHTS)   start a worker             -> its process id
    T, K + process id                  SIGTERM, SIGKILL it        -> 0, or -1 when it is gone
    W + process id                     wait for it, kill it late  -> its wait status, -1 when unknown

When the web process goes, the control socket closes: the launcher kills the workers and ends. When the launcher
goes, Linux kills the workers (PR_SET_PDEATHSIG); elsewhere they end at the next record they cannot send.
"""

import argparse
import ctypes
import gc
import importlib
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from bnviz.runs.workers.protocol import REPLY, REQUEST, START, TERMINATE, WAIT
from bnviz.runs.workers.worker import Run, bound_memory, work

JOIN_SECONDS = 1.0  # how long a worker that has closed its socket may take to end
POLL_SECONDS = 0.002
PR_SET_PDEATHSIG = 1


def load(name: str) -> Callable[..., Any]:
    """Import `module:function`."""
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)


def prepare(warm_up: str) -> None:
    """Call the function that makes workers start fast; when it fails, the run that needs the same will say why."""
    if not warm_up:
        return
    try:
        load(warm_up)()
    except Exception as error:
        print(f"bnviz: workers start slower: {type(error).__name__}: {error}", file=sys.stderr)


class Launcher:
    """Serves the control socket until it closes."""

    def __init__(self, control: socket.socket, run: Run, worker_mb: int = 0) -> None:
        self._control = control
        self._run = run
        self._worker_mb = worker_mb
        self._children: set[int] = set()

    def serve(self) -> None:
        """Answer requests; return when the web process has gone."""
        try:
            while request := self._receive():
                self._control.sendall(REPLY.pack(self._answer(*request)))
        except (ConnectionError, struct.error):
            pass
        finally:
            for pid in self._children:
                _signal(pid, signal.SIGKILL)

    def _receive(self) -> tuple[bytes, int, list[int]] | None:
        data, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        while data and len(data) < REQUEST.size:
            data += self._control.recv(REQUEST.size - len(data))
        return (*REQUEST.unpack(data), list(descriptors)) if data else None

    def _answer(self, request: bytes, pid: int, descriptors: list[int]) -> int:
        if request == START:
            return self._start(descriptors[0])
        if pid not in self._children:
            return -1
        if request == WAIT:
            return self._wait(pid)
        return _signal(pid, signal.SIGTERM if request == TERMINATE else signal.SIGKILL)

    def _start(self, descriptor: int) -> int:
        launcher = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(descriptor, launcher)
        os.close(descriptor)
        self._children.add(pid)
        return pid

    def _become_worker(self, descriptor: int, launcher: int) -> NoReturn:
        """Run in the child; `os._exit` because nothing of the launcher's is the child's to clean up."""
        status = 1
        try:
            _die_with(launcher)
            self._control.close()
            if self._worker_mb:
                bound_memory(self._worker_mb)
            with Connection(descriptor) as connection:
                work(connection, self._run)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _wait(self, pid: int) -> int:
        deadline = time.monotonic() + JOIN_SECONDS
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._children.discard(pid)
                return status
            if time.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)


def _signal(pid: int, number: signal.Signals) -> int:
    """Signal a child that was not waited for yet, so that its id cannot be another process's."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return -1
    return 0


def _die_with(launcher: int) -> None:
    """Ask Linux to kill this worker when the launcher ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != launcher:  # it ended before the request was made
            os._exit(1)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `python -m bnviz.runs.workers.launcher`."""
    parser = argparse.ArgumentParser(prog="bnviz.runs.workers.launcher")
    parser.add_argument("--control", type=int, required=True, help="file descriptor of the control socket")
    parser.add_argument("--run", required=True, help="module:function that turns a configuration into records")
    parser.add_argument("--warm-up", default="", help="module:function that is called once, before the first run")
    parser.add_argument("--worker-mb", type=int, default=0, help="megabytes that a worker may take; 0 for no bound")
    options = parser.parse_args(arguments)
    prepare(options.warm_up)
    run = load(options.run)
    gc.collect()
    gc.freeze()  # the collector must not touch, and so copy, the pages that workers share
    Launcher(socket.socket(fileno=options.control), run, options.worker_mb).serve()
    os._exit(0)  # unloading torch takes a second and serves nothing


if __name__ == "__main__":
    main()
