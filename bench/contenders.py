"""What a programmer would use to keep sales: tilld's journal, and what else there is.

Each keeps the same bytes durably and lets a repeated key be found, as far as it can.
"""

import os
import sqlite3
import threading
from pathlib import Path
from typing import Final, Protocol

from bench.sales import DIGEST, REPLY, TIMEPIECE
from offline_queue.entry import Entry, encode
from offline_queue.journal import Origin
from offline_queue.store import Store

PREALLOCATED: Final = 64 * 1024 * 1024


class Contender(Protocol):
    """`append` returns when the entry is as durable as this contender makes it; from any thread."""

    def append(self, entry: Entry) -> None: ...

    def close(self) -> None: ...


class Journal:
    """tilld."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(
            folder / "journal.db", origin=Origin("S001-T01", "bench", "tilld bench"), timepiece=TIMEPIECE
        )

    def append(self, entry: Entry) -> None:
        self.store.append(entry, REPLY, DIGEST)

    def close(self) -> None:
        self.store.close()


class RawSqlite:
    """The yardstick: WAL and FULL, one row and one commit a sale, a unique key, SQLite's defaults otherwise."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "raw.db", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE entry (no INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL)"
        )
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        with self._lock:
            self._connection.execute("INSERT INTO entry (key, body) VALUES (?, ?)", (entry.key, encode(entry)))

    def close(self) -> None:
        self._connection.close()


class BareFile:
    """The limit of the disk: a write into a preallocated file and fdatasync; no key, no index, no recovery."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
        block = bytes(1024 * 1024)
        for start in range(0, PREALLOCATED, len(block)):
            os.pwrite(self._file, block, start)
        os.fsync(self._file)
        self._end = 0
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        with self._lock:
            self._end += os.pwrite(self._file, encode(entry), self._end % (PREALLOCATED - 8192))
            os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)


class PersistQueue:
    """persist-queue's SQLiteAckQueue; it has no place for a key."""

    def __init__(self, folder: Path, synchronous: str | None = None) -> None:
        from persistqueue import SQLiteAckQueue

        self._queue = SQLiteAckQueue(str(folder), multithreading=True)
        if synchronous is not None:
            self._queue._putter.execute(f"PRAGMA synchronous = {synchronous}")  # noqa: SLF001 - there is no other way

    def append(self, entry: Entry) -> None:
        self._queue.put(encode(entry))

    def close(self) -> None:
        self._queue.close()


class LiteQueue:
    """litequeue; it mints its own ids and has no place for a key."""

    def __init__(self, folder: Path, synchronous: str | None = None) -> None:
        from litequeue import LiteQueue as Queue

        self._queue = Queue(folder / "lite.db")
        if synchronous is not None:
            self._queue.conn.execute(f"PRAGMA synchronous = {synchronous}")
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        with self._lock:
            self._queue.put(encode(entry).decode())

    def close(self) -> None:
        self._queue.conn.close()
