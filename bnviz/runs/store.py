"""Finished runs on disk, so that they are there after a restart: one SQLite file, bounded, least used out first.

    runs(id, code, bytes, used_at)    records(run_id, position, payload)    payload: see codec

Records are used only while their `origin` is what it was when they were made; the column of it is called `code`.
A file that cannot be read or written costs the cache, never a run.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from bnviz.config.studies import AnyConfig
from bnviz.experiments.board.catalog import UnknownPart
from bnviz.records.codec import CodecError, decode
from bnviz.records.records import Record, RunFinished, Started
from bnviz.runs.origin import code_hash, origin

FILE_NAME = "runs-v1.sqlite3"
BUSY_SECONDS = 5.0
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, code TEXT NOT NULL, bytes INTEGER NOT NULL, used_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS records (run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, position INTEGER NOT NULL,
    payload BLOB NOT NULL, PRIMARY KEY (run_id, position)) WITHOUT ROWID;
"""
OF_THIS_CODE = "SELECT code FROM runs WHERE id = ? AND substr(code, 1, 16) = ?"  # the 16 digits of `code_hash()`
OLDEST_FIRST = "SELECT id, bytes FROM runs ORDER BY substr(code, 1, 16) = ?, used_at"  # other code's before all
_log = logging.getLogger("bnviz.runs")


class Store:
    """Keeps the records of finished runs in a folder; thread-safe, and safe between processes.

    Args:
        folder: where the file is; made when missing.
        max_bytes: what the records may take; the least recently used runs go first.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._path = folder / FILE_NAME
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Get ready, so that the first `load` is as fast as the others; not needed."""
        code_hash()
        try:
            if self._path.exists():
                with self._connected():
                    pass
        except (sqlite3.Error, OSError) as error:
            _log.warning("the store %s cannot be opened: %s", self._path, error)

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        with self._lock:
            self._disconnect()

    def save(self, config: AnyConfig, payloads: Sequence[bytes]) -> bool:
        """Keep a finished run; False when it could not be kept."""
        run_id, size = config.run_id, sum(map(len, payloads))
        if size > self._max_bytes:
            return False
        try:
            with self._connected() as connection:
                connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
                connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (run_id, origin(config), size, time.time()))
                rows = ((run_id, position, payload) for position, payload in enumerate(payloads))
                connection.executemany("INSERT INTO records VALUES (?, ?, ?)", rows)
                self._shrink(connection)
            return True
        except (sqlite3.Error, OSError) as error:
            _log.warning("run %s is not kept: %s", run_id, error)
            return False

    def load(self, run_id: str) -> list[tuple[Record, bytes]] | None:
        """The run's records with their bytes; None when it is not there, of another origin or not readable."""
        if not self._path.exists():
            return None
        try:
            made_by, payloads = self._read(run_id)
            records = _decoded(run_id, payloads) if payloads else None
            return records if records and _is_of(records, made_by) else None
        except (sqlite3.Error, OSError, CodecError) as error:
            _log.warning("run %s cannot be read from the store: %s", run_id, error)
            self._delete(run_id)
            return None

    def _read(self, run_id: str) -> tuple[str, list[bytes]]:
        """(origin, payloads) of a run that this code has made, else nothing."""
        with self._connected() as connection:
            found = connection.execute(OF_THIS_CODE, (run_id, code_hash())).fetchone()
            if found is None:
                return "", []
            connection.execute("UPDATE runs SET used_at = ? WHERE id = ?", (time.time(), run_id))
            rows = connection.execute("SELECT payload FROM records WHERE run_id = ? ORDER BY position", (run_id,))
            return found[0], [payload for (payload,) in rows]

    def _delete(self, run_id: str) -> None:
        try:
            with self._connected() as connection:
                connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        except (sqlite3.Error, OSError):
            _log.warning("run %s cannot be removed from the store", run_id)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """The connection for one transaction; after an error it is opened anew."""
        with self._lock:
            try:
                if self._connection is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, check_same_thread=False)
                    self._connection.executescript(SCHEMA)
                with self._connection:
                    yield self._connection
            except (sqlite3.Error, OSError):
                self._disconnect()
                raise

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _shrink(self, connection: sqlite3.Connection) -> None:
        total = connection.execute("SELECT sum(bytes) FROM runs").fetchone()[0]
        rows = connection.execute(OLDEST_FIRST, (code_hash(),)).fetchall()
        for run_id, size in rows:
            if total <= self._max_bytes:
                return
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            total -= size


def _decoded(run_id: str, payloads: Sequence[bytes]) -> list[tuple[Record, bytes]]:
    records = [(decode(payload), payload) for payload in payloads]
    started, ended = records[0][0], records[-1][0]
    if not isinstance(started, Started) or started.run_id != run_id or not isinstance(ended, RunFinished):
        raise CodecError("the records are not those of a finished run")
    return records


def _is_of(records: Sequence[tuple[Record, bytes]], made_by: str) -> bool:
    """Whether the records' configuration would be computed today as it was then."""
    started = records[0][0]
    assert isinstance(started, Started)
    try:
        return origin(started.config) == made_by
    except (UnknownPart, ValidationError):  # a study of an experiment that has changed since
        return False
