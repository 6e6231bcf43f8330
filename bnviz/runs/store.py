"""Finished runs on disk, so that they are there after a restart: one SQLite file, bounded, least used out first.

    runs(id, code, bytes, used_at)    records(run_id, position, payload)    payload: see codec

Records that other code has made are not used: `code` is a hash of the sources that decide what a run yields.
A file that cannot be read or written costs the cache, never a run.
"""

import hashlib
import importlib.metadata
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import bnviz
from bnviz.records import Record, RunFinished, Started
from bnviz.runs.codec import CodecError, decode

FILE_NAME = "runs-v1.sqlite3"
BUSY_SECONDS = 5.0
NOT_THE_RUN = ("runs", "charts", "ui", "experiments", "api.py", "cli.py", "__main__.py", "settings.py", "static.py", "link.py",
               "presets.py", "tables.py", "recording.py", "problems.py")  # fmt: skip
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, code TEXT NOT NULL, bytes INTEGER NOT NULL, used_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS records (run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, position INTEGER NOT NULL,
    payload BLOB NOT NULL, PRIMARY KEY (run_id, position)) WITHOUT ROWID;
"""
_log = logging.getLogger("bnviz.runs")


@cache
def code_hash() -> str:
    """Name the code that decides what a run yields: our sources, torch and NumPy."""
    root = Path(bnviz.__file__).parent
    digest = hashlib.sha256()
    for package in ("torch", "numpy", "scikit-learn"):
        digest.update(f"{package}={_version(package)}\n".encode())
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in NOT_THE_RUN:
            digest.update(str(path.relative_to(root)).encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


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

    def save(self, run_id: str, payloads: Sequence[bytes]) -> bool:
        """Keep a finished run; False when it could not be kept."""
        size = sum(map(len, payloads))
        if size > self._max_bytes:
            return False
        try:
            with self._connected() as connection:
                connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
                connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (run_id, code_hash(), size, time.time()))
                rows = ((run_id, position, payload) for position, payload in enumerate(payloads))
                connection.executemany("INSERT INTO records VALUES (?, ?, ?)", rows)
                self._shrink(connection)
            return True
        except (sqlite3.Error, OSError) as error:
            _log.warning("run %s is not kept: %s", run_id, error)
            return False

    def load(self, run_id: str) -> list[tuple[Record, bytes]] | None:
        """The run's records with their bytes; None when it is not there or not readable."""
        if not self._path.exists():
            return None
        try:
            payloads = self._read(run_id)
            return _decoded(run_id, payloads) if payloads else None
        except (sqlite3.Error, OSError, CodecError) as error:
            _log.warning("run %s cannot be read from the store: %s", run_id, error)
            self._delete(run_id)
            return None

    def _read(self, run_id: str) -> list[bytes]:
        with self._connected() as connection:
            update = "UPDATE runs SET used_at = ? WHERE id = ? AND code = ?"
            if not connection.execute(update, (time.time(), run_id, code_hash())).rowcount:
                return []
            rows = connection.execute("SELECT payload FROM records WHERE run_id = ? ORDER BY position", (run_id,))
            return [payload for (payload,) in rows]

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
        rows = connection.execute("SELECT id, bytes FROM runs ORDER BY code = ?, used_at", (code_hash(),)).fetchall()
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
