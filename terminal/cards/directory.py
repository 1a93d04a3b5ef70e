"""The till's copy of what the ledger said of each card: may be lost and is fetched again.

Its own file without syncs to disk: nothing in it is a fact that exists only here. A damaged file is set aside
and a new one made; one whose disk is full goes on in memory.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from offline_queue.wire_accounts import Balance, Expiry
from terminal.cards import hotlist, wear_book
from terminal.cards.identification import Proof
from terminal.cards.shelf import Shelf

log = logging.getLogger("directory")

_STEPS: Final = (
    (
        """
CREATE TABLE card (
    number TEXT PRIMARY KEY,
    points INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    status TEXT NOT NULL,      -- as the ledger calls it
    as_of TEXT NOT NULL,       -- the ledger's time of this balance, RFC 3339
    start TEXT NOT NULL        -- the start of the daemon that heard it
) STRICT, WITHOUT ROWID
""",
    ),
    (
        """
CREATE TABLE taken (
    subject TEXT PRIMARY KEY,  -- the chip or the card's code of which a proof was taken
    counter INTEGER NOT NULL   -- the greatest one
) STRICT, WITHOUT ROWID
""",
    ),
    ("ALTER TABLE card ADD COLUMN inactive INTEGER NOT NULL DEFAULT 0",),
    ("ALTER TABLE card ADD COLUMN expiring TEXT NOT NULL DEFAULT '[]'",),  # wire_accounts.Expiry, as JSON
    hotlist.TABLES,
    wear_book.TABLES,
)
"""Forward only: the file's user_version counts those that were taken."""
_FIRST: Final = ("card", "taken")
_LISTED: Final = (*_FIRST, *hotlist.NAMES)
_TABLES: Final = (
    (),
    _FIRST[:1],
    *[_FIRST] * 3,
    tuple(sorted(_LISTED)),
    tuple(sorted((*_LISTED, *wear_book.NAMES))),
)
"""Those of each version."""
_expiring = msgspec.json.Decoder(list[Expiry]).decode


@dataclass(frozen=True)
class Known:
    """The last certain word on a card; `fresh` when it was heard since this start."""

    balance: Balance
    fresh: bool


class Directory:
    """Used by the till's thread alone, but for its `hotlist`, which the courier fills."""

    def __init__(self, connection: sqlite3.Connection, start: str) -> None:
        self._shelf = Shelf(connection)
        self._start = start
        self._lock = self._shelf.lock
        self.hotlist = hotlist.Hotlist(self._shelf)
        self.wear = wear_book.WearBook(self._shelf)

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._shelf.connection

    @classmethod
    def open(cls, path: Path, start: str) -> "Directory":
        """`start` names this start of the daemon. Raises sqlite3.OperationalError where the folder is not writable."""
        try:
            return cls(_connect(path), start)
        except (sqlite3.DatabaseError, _Foreign) as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = path.with_suffix(".damaged")
            log.warning("%s is damaged (%s): set aside as %s; balances are fetched again", path, error, aside.name)
            _set_aside(path, aside)
            return cls(_connect(path), start)

    def find(self, number: str) -> Known | None:
        query = "SELECT points, reserved, as_of, status, inactive, expiring, start FROM card WHERE number = ?"
        with self._lock:
            row = self._connection.execute(query, (number,)).fetchone()
        if row is None:
            return None
        points, reserved, as_of, status, inactive, expiring, start = row
        told = Balance(number, points, reserved, as_of, status, inactive, _expiring(expiring))
        return Known(told, fresh=start == self._start)

    def hear(self, balances: Sequence[Balance]) -> None:
        """Takes over what is not older than what is known; one transaction."""
        self._shelf.write(lambda: self._hear(balances))

    def _hear(self, balances: Sequence[Balance]) -> None:
        self._connection.executemany(
            "INSERT INTO card VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (number) DO UPDATE SET"
            " points = ?2, reserved = ?3, status = ?4, as_of = ?5, start = ?6, inactive = ?7, expiring = ?8"
            " WHERE julianday(?5) >= julianday(as_of) OR julianday(as_of) IS NULL",
            [(*_columns(balance), self._start, *_dates(balance)) for balance in balances],
        )
        self.hotlist.hear(balances)

    def hear_status(self, balance: Balance) -> None:
        """What the ledger says the card is, whatever its points are."""
        self._shelf.write(lambda: self.hotlist.hear([balance]))

    def advance(self, proof: Proof) -> bool:
        """Takes a proof; False when this one or a later one of its subject was taken before."""
        greater = (
            "INSERT INTO taken VALUES (?1, ?2) ON CONFLICT (subject) DO UPDATE SET counter = ?2 WHERE ?2 > counter"
        )
        taken = (proof.subject, proof.counter)
        return bool(self._shelf.write(lambda: self._connection.execute(greater, taken).rowcount))

    def close(self) -> None:
        self._shelf.close()


def _columns(told: Balance) -> tuple[str | int, ...]:
    return (told.number, told.points, told.reserved, told.status, told.as_of)


def _dates(told: Balance) -> tuple[int, str]:
    return told.inactive, msgspec.json.encode(told.expiring).decode()


class _Foreign(Exception):
    """A sound database that is none of ours."""


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with contextlib.ExitStack() as of_no_use:
        of_no_use.callback(connection.close)
        _judge(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        _migrate(connection)
        of_no_use.pop_all()
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    for version, step in enumerate(_STEPS[done:], done + 1):
        connection.execute("BEGIN")
        for statement in step:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")


def _judge(connection: sqlite3.Connection) -> None:
    """Raises _Foreign for what is neither empty nor sound and ours; changes nothing."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = tuple(
        row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    )
    if not 0 <= version <= len(_STEPS) or tables != _TABLES[version]:
        raise _Foreign(f"version {version}, tables {tables}")
    if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise _Foreign(found)


def _set_aside(path: Path, aside: Path) -> None:
    path.replace(aside)
    for leftover in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        leftover.unlink(missing_ok=True)
