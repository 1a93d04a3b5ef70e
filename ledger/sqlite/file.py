"""The books as one SQLite file: how it is opened, checked and locked."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from ledger.books import backup
from ledger.port.refusals import BooksUnusable, NotRecorded
from ledger.sheet.source import Source
from ledger.sqlite.schema import APPLICATION_ID, SCHEMA_VERSION, STEPS
from ledger.sqlite.tables import SqliteTables
from ledger.tables.engine import Tables
from ledger.tables.source import TablesSource

T = TypeVar("T")

PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "temp_store=MEMORY",
    "cache_size=-262144",
    "wal_autocheckpoint=16384",
)
"""Keys fall anywhere into their index. It stays in 256 MB of cache up to some ten million records, and 64 MB of WAL
gather its changed pages before they are written back: with the defaults a backlog slowed down to less than half."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode with full syncs; makes the books where there are none.

    Raises BooksUnusable and leaves a file that is not ours untouched.
    """
    if path.exists() and path.stat().st_size > 0:
        _look(path)
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        _prepare(connection, path)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:  # the module decodes SQLite's own words of bent pages
        if connection is not None:
            connection.close()
        raise BooksUnusable(
            str(path),
            f"the books cannot be opened ({error})",
            "No points were changed.",
            "See that the folder exists, has room and belongs to this user.",
        ) from error
    except BooksUnusable:
        if connection is not None:
            connection.close()
        raise
    return connection


def _look(path: Path) -> None:
    """Reads the header alone (https://www.sqlite.org/fileformat2.html section 1.3), so that nothing is changed."""
    meaning, remedy = (
        "Nothing in it was touched.",
        "Name another file with --database, or restore the books from a backup.",
    )
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise BooksUnusable(str(path), "this file is no SQLite database", meaning, remedy)
    ours = int.from_bytes(header[68:72], "big") == APPLICATION_ID
    in_journal = Path(f"{path}-wal").exists()
    # Whoever died while making books has left a database in which nothing was ever made: its schema cookie is 0.
    empty = header[40:44] == header[60:64] == header[68:72] == bytes(4)
    if not ours and not in_journal and not empty:
        raise BooksUnusable(str(path), "this database holds no tilld ledger", meaning, remedy)
    page = int.from_bytes(header[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    if path.stat().st_size < expected and not in_journal:
        what = f"the file is cut short: {path.stat().st_size} of {expected} bytes"
        raise BooksUnusable(str(path), what, meaning, remedy)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Pragmas of every connection, then the schema where there is none."""
    application, version, objects = (
        connection.execute(query).fetchone()[0]
        for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if objects and (application != APPLICATION_ID or version > SCHEMA_VERSION):
        newer = application == APPLICATION_ID
        what = f"schema {version} is newer than this tilld's {SCHEMA_VERSION}" if newer else "this is no tilld ledger"
        remedy = "Update tilld." if newer else "Name another file with --database."
        raise BooksUnusable(str(path), what, "Nothing in it was touched.", remedy)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    for number, step in enumerate(STEPS[version:], start=version + 1):
        marks = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={number};"
        connection.executescript(f"BEGIN IMMEDIATE; {step} {marks} COMMIT;")


class SqliteFile:
    """See tables.Engine. One connection, one transaction at a time over all threads, one writer over all processes.

    SQLite before 3.51.3 can corrupt a WAL that two connections reset at once; the office's commands work beside a
    running server, so each writer holds a lock (a file beside the books) from before BEGIN until after COMMIT with its
    checkpoint.
    """

    clerks = 1

    def __init__(self, path: Path) -> None:
        """Raises BooksUnusable."""
        self.connection = connect(path)
        self._threads = threading.RLock()
        self._writer: int | None = os.open(f"{path}-writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction. Raises NotRecorded where the engine failed: then nothing was done."""
        with self._alone(), self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view. Raises NotRecorded where the engine failed."""
        with self._threads:
            self._must_be_open()
            with self._transaction("BEGIN"):
                yield

    def source(self, tables: Tables) -> Source:
        return TablesSource(tables)

    def write(self, work: Callable[[Tables], T]) -> T:
        with self.writing():
            return work(SqliteTables(self.connection))

    def read(self, work: Callable[[Tables], T]) -> T:
        with self.reading():
            return work(SqliteTables(self.connection))

    def copy(self, path: Path) -> None:
        """See tables.Engine."""
        with self._threads:
            self._must_be_open()
            try:
                backup.copy(self.connection, path)
            except (sqlite3.Error, OSError) as error:
                raise NotRecorded(f"no backup was made at {path} ({error}); the books go on") from error

    def close(self) -> None:
        """Closing the last connection checkpoints, so that too happens alone. May be called twice."""
        with self._threads:
            if self._writer is None:
                return
            with self._alone():
                self.connection.close()
            os.close(self._writer)
            self._writer = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._threads:
            lock = self._must_be_open()
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)

    def _must_be_open(self) -> int:
        """The writer's lock. Raises NotRecorded."""
        if self._writer is None:
            raise NotRecorded("the books are closed; no points were changed")
        return self._writer

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        try:
            self.connection.execute(begin)
            yield
            self.connection.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise NotRecorded(f"the books could not be used ({error}); no points were changed") from error
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
