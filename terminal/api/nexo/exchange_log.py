"""What was asked of late and what was answered: a ServiceID means one request, and a lost answer is given again.

Its own file without syncs to disk: it survives the death of the daemon, not a power cut. What moved points is in the
journal in any case, and found there by the exchange's own key. A damaged file is put away for a new one.
"""

import contextlib
import json
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from terminal.api.nexo.exchange import Exchange

FILE: Final = "nexo.db"
KEPT_MS: Final = 48 * 3600 * 1000
"""A ServiceID is one request's for this long (as the protocol's terminals have it)."""

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS exchange (
    poi_id TEXT NOT NULL,
    sale_id TEXT NOT NULL,
    number TEXT NOT NULL,      -- ServiceID, or DeviceID
    category TEXT NOT NULL,    -- of the message
    digest BLOB NOT NULL,      -- of what was asked
    asked_ms INTEGER NOT NULL, -- by this machine's clock
    answer BLOB,               -- the body of the answer, JSON; NULL while there is none
    PRIMARY KEY (poi_id, sale_id, number)
) STRICT, WITHOUT ROWID
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS by_time ON exchange (asked_ms)"
_COLUMNS: Final = "SELECT number, category, digest, answer FROM exchange WHERE poi_id = ? AND sale_id = ?"
_OLD: Final = "DELETE FROM exchange WHERE asked_ms < ? OR asked_ms > ?"

log = logging.getLogger("nexo")


@dataclass(frozen=True)
class Noted:
    """An exchange of the log; `answer` is the body of what was answered, None while nothing was."""

    exchange: Exchange
    category: str
    digest: bytes
    answer: bytes | None


class ExchangeLog:
    """For any thread, one at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path) -> "ExchangeLog":
        """Kept in memory alone where the folder cannot be written: a full disk must not keep a till from its start."""
        try:
            return cls(_opened(path))
        except (OSError, sqlite3.OperationalError) as error:
            log.warning("nexo.db cannot be opened (%s): answers are kept in memory until the till's next start", error)
            return cls(_connected(":memory:"))

    def begin(self, exchange: Exchange, category: str, digest: bytes, now_ms: int) -> Noted | None:
        """Takes note of a request, and gives what is known of its number; None where that is new.

        Where the number is known nothing is changed: whoever asks something else under it is to be refused.
        """
        with self._lock:
            self._write(_OLD, now_ms - KEPT_MS, now_ms + KEPT_MS)
            known = self._find(exchange)
            if known is None:
                row = (exchange.poi_id, exchange.sale_id, exchange.number, category, digest, now_ms)
                self._write("INSERT INTO exchange VALUES (?, ?, ?, ?, ?, ?, NULL)", *row)
            return known

    def end(self, exchange: Exchange, answer: bytes) -> None:
        """Keeps the answer; a newer one takes the place of an older."""
        update = "UPDATE exchange SET answer = ? WHERE poi_id = ? AND sale_id = ? AND number = ?"
        with self._lock:
            self._write(update, answer, exchange.poi_id, exchange.sale_id, exchange.number)

    def find(self, exchange: Exchange) -> Noted | None:
        with self._lock:
            return self._find(exchange)

    def newest(self, poi_id: str, sale_id: str, categories: frozenset[str]) -> Noted | None:
        """The last exchange of this sale system in one of these categories."""
        with self._lock:
            query = f"{_COLUMNS} AND category IN (SELECT value FROM json_each(?)) ORDER BY asked_ms DESC LIMIT 1"  # noqa: S608 - no value is in it
            row = self._read(query, poi_id, sale_id, json.dumps(sorted(categories)))
        return None if row is None else Noted(Exchange(poi_id, sale_id, row[0]), *row[1:])

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _find(self, exchange: Exchange) -> Noted | None:
        query = f"{_COLUMNS} AND number = ?"
        row = self._read(query, exchange.poi_id, exchange.sale_id, exchange.number)
        return None if row is None else Noted(exchange, *row[1:])

    def _read(self, query: str, *values: str) -> Any:
        """A row, None where there is none or none can be read: the journal knows what counts."""
        try:
            return self._connection.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            log.warning("nexo.db cannot be read (%s): a lost answer is found in the journal alone", error)
            return None

    def _write(self, statement: str, *values: object) -> None:
        """A full disk costs the memory of answers, never a sale."""
        try:
            self._connection.execute(statement, values)
        except sqlite3.DatabaseError as error:
            log.warning("nexo.db cannot be written (%s): a lost answer is found in the journal alone", error)


def _opened(path: Path) -> sqlite3.Connection:
    """Raises OSError or sqlite3.OperationalError."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        log.warning("%s is damaged (%s) and made anew; answers are found in the journal", path, error)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    return _connected(path)


def _connected(place: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    with contextlib.ExitStack() as of_no_use:
        of_no_use.callback(connection.close)
        _set_up(connection)
        of_no_use.pop_all()
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError, and no OperationalError, for what is damaged or was made by another version."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_TABLE)
        connection.execute(_INDEX)
        connection.execute(f"{_COLUMNS} LIMIT 1", ("", "")).fetchone()
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "no such column" in str(error):
            raise sqlite3.DatabaseError(str(error)) from error
        raise
    if found != "ok":
        raise sqlite3.DatabaseError(found)
