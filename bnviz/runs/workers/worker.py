"""What happens inside a worker process: one run, its records written to the data socket, then the end.

    configuration (JSON) -> run(config) -> record, record, ..., ended record      or, when it raises,
                                           traceback (for the log), RunFailed (for the visitor)

A message is one byte that says what it is, then its bytes.
"""

import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bnviz.config.studies import AnyConfig, parse_config
from bnviz.records.codec import encode
from bnviz.records.records import Measured, Record, RunEnded, RunFailed
from bnviz.runs.workers.protocol import RECORD, TRACEBACK

NICENESS = 5  # the web process answers first when all cores train
NO_MEMORY = ("allocate memory", "bad_alloc", "out of memory")  # how libraries without a MemoryError say it
Run = Callable[[Any], Iterator[Record]]  # of a RunConfig or a StudyConfig


def bound_memory(megabytes: int) -> None:
    """Let this process map so much more than it has mapped already; what then asks for more is refused.

    Only where the system keeps such a bound and tells what is mapped: on Linux.
    """
    mapped = Path("/proc/self/statm")
    if mapped.exists():
        limit = int(mapped.read_text("ascii").split()[0]) * resource.getpagesize() + megabytes * 2**20
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def work(connection: Connection, run: Run) -> None:
    """Read the configuration, run it, send every record; the reader being gone ends it quietly."""
    assert "streamlit" not in sys.modules, "a worker must not import streamlit"
    os.nice(NICENESS)
    try:
        config = parse_config(connection.recv_bytes())
        _send_run(connection, run, config)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        pass  # nobody is there to read: the web process has ended or has given this run up


def _send_run(connection: Connection, run: Run, config: AnyConfig) -> None:
    step = 0
    record: Record | None = None
    try:
        for record in run(config):
            connection.send_bytes(RECORD + encode(record))
            step = record.step if isinstance(record, Measured) else step
        if not isinstance(record, RunEnded):
            raise RuntimeError("the run ended without saying how")
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        connection.send_bytes(TRACEBACK + traceback.format_exc().encode())
        connection.send_bytes(RECORD + encode(RunFailed(step, plain_reason(error))))


def plain_reason(error: BaseException) -> str:
    """Say in a sentence for the visitor why a run broke."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
        return "The run needed more memory than there is. Lower trials, width, depth or batch size."
    if type(error).__name__ in ("DatasetUnavailable", "CostTooHigh", "UnknownPart"):  # their messages are written for the visitor
        return str(error)
    text = " ".join(str(error).split())[:200]
    return f"The run failed because of an error in the program: {type(error).__name__}{': ' + text if text else ''}"
