"""What the ledger tells every till of cards and keys, as far as this till has read it, and what it said itself.

A page of the feed and its cursor are one transaction, so a half-received update is never seen. Under another generation
of the ledger the feed is read from its beginning into a fresh set, while the old one is still used; the last page
changes over. What this till did to a card itself holds at once, until the feed has brought the ledger's word on it.
"""

import base64
import sqlite3
from collections.abc import Iterable
from typing import Final

from offline_queue.entry import CardEvent
from offline_queue.journal import NotRecorded
from offline_queue.steps import TakeChanges
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Change
from terminal.cards.forwarding import ACTIVE, Listed, Stands, listed_after, stands_for
from terminal.cards.shelf import Shelf

TABLES: Final = (
    """
CREATE TABLE feed (
    generation TEXT PRIMARY KEY,
    cursor INTEGER NOT NULL,
    used INTEGER NOT NULL      -- 1: the set that is used; 0: one that is being read
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE listed (
    generation TEXT NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    successor TEXT,
    PRIMARY KEY (generation, number)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE terminal_key (
    generation TEXT NOT NULL,
    terminal TEXT NOT NULL,
    public_key BLOB NOT NULL,
    revoked INTEGER NOT NULL,
    PRIMARY KEY (generation, terminal, public_key)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE own_event (
    number TEXT PRIMARY KEY,
    entry TEXT NOT NULL,
    status TEXT NOT NULL,
    successor TEXT,
    posted INTEGER NOT NULL    -- 1: the ledger has it, and the feed will tell
) STRICT, WITHOUT ROWID
""",
)
_KIN: Final = """
    WITH RECURSIVE forwarded (number, successor) AS (
        SELECT number, successor FROM own_event
        UNION SELECT number, successor FROM listed WHERE generation = ?
    ), kin (number) AS (
        SELECT ? UNION SELECT f.number FROM forwarded f JOIN kin k ON f.successor = k.number)
    SELECT number FROM kin"""
NAMES: Final = ("feed", "listed", "own_event", "terminal_key")


def decoded(public_key: str) -> bytes:
    """From base64; empty for what is none, and then it proves nothing."""
    try:
        return base64.b64decode(public_key, validate=True)
    except ValueError:
        return b""


class Hotlist:
    """Used by the till's thread and, for `taken` and `take`, by the courier's: each call holds the lock."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._lock = shelf, shelf.lock
        self._used: tuple[str, int] = self._connection.execute(
            "SELECT generation, cursor FROM feed WHERE used = 1"
        ).fetchone() or ("", 0)

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._shelf.connection

    @property
    def cursor(self) -> int | None:
        """How far the feed has been read, for the entries that are written now; None before its first page."""
        return self._used[1] or None

    def taken(self, generation: str | None) -> int:
        with self._lock:
            row = self._connection.execute("SELECT cursor FROM feed WHERE generation = ?", (generation,)).fetchone()
        return int(row[0]) if row else 0

    def take(self, page: TakeChanges) -> None:
        """Raises NotRecorded; then nothing of the page was taken."""
        try:
            used = self._shelf.write(lambda: self._take(page))
        except sqlite3.Error as error:
            raise NotRecorded(f"the directory of cards cannot be written: {error}") from error
        if used:
            self._used = page.generation, page.cursor

    def _take(self, page: TakeChanges) -> bool:
        """Whether the set of this page is used from now on; a page that does not follow changes nothing."""
        if page.after != self.taken(page.generation):
            return False
        used = not page.more or self._used[0] in ("", page.generation)
        row = (page.generation, page.cursor, int(used))
        self._connection.execute("INSERT OR REPLACE INTO feed VALUES (?, ?, ?)", row)
        for change in page.changes:
            self._note(page.generation, change)
        if not page.more:
            self._forget_others(page.generation)
        return used

    def stands(self, number: str) -> Stands:
        """The card to use for this one."""
        with self._lock:
            return stands_for(number, self._find)

    def has(self, number: str) -> bool:
        """Whether the ledger, or this till itself, has said what this card is."""
        with self._lock:
            return self._find(number) is not None

    def kin(self, number: str) -> list[str]:
        """The card that stands for this one, and all that it stands for: they are of one account."""
        with self._lock:
            last = stands_for(number, self._find).number
            return [one for (one,) in self._connection.execute(_KIN, (self._used[0], last))]

    def keys(self, terminal: str) -> list[tuple[bytes, bool]]:
        """Every public key that this terminal has had, and whether it was revoked."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT public_key, revoked FROM terminal_key WHERE generation = ? AND terminal = ?",
                (self._used[0], terminal),
            ).fetchall()
        return [(key, bool(revoked)) for key, revoked in rows]

    def did(self, entry: str, number: str, event: CardEvent) -> None:
        """An event of this till's own is durable in its journal, under this id."""
        after = listed_after(event)
        row = (number, entry, after.status, after.successor)
        insert = "INSERT OR REPLACE INTO own_event VALUES (?, ?, ?, ?, 0)"
        self._shelf.write(lambda: self._connection.execute(insert, row))

    def decided(self, entry: str, *, posted: bool) -> None:
        """The ledger's word on an event of this till's own: in its books, or without effect."""
        settle = (
            "UPDATE own_event SET posted = 1 WHERE entry = ?" if posted else "DELETE FROM own_event WHERE entry = ?"
        )
        self._shelf.write(lambda: self._connection.execute(settle, (entry,)))

    def hear(self, balances: Iterable[Balance]) -> None:
        """What the ledger says of a card beside the feed is as true; it is kept where it is not the usual.

        Within a transaction of the caller's.
        """
        for balance in balances:
            self._connection.execute("DELETE FROM own_event WHERE number = ? AND posted = 1", (balance.number,))
            if balance.status != ACTIVE or self._listed(balance.number) is not None:
                self._list(self._used[0], balance.number, Listed(balance.status, balance.successor))

    def _find(self, number: str) -> Listed | None:
        row = self._connection.execute("SELECT status, successor FROM own_event WHERE number = ?", (number,)).fetchone()
        return Listed(*row) if row else self._listed(number)

    def _listed(self, number: str) -> Listed | None:
        row = self._connection.execute(
            "SELECT status, successor FROM listed WHERE generation = ? AND number = ?", (self._used[0], number)
        ).fetchone()
        return Listed(*row) if row else None

    def _list(self, generation: str, number: str, listed: Listed) -> None:
        row = (generation, number, listed.status, listed.successor)
        self._connection.execute("INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?)", row)

    def _note(self, generation: str, change: Change) -> None:
        if (card := change.card) is not None:
            self._list(generation, card.number, Listed(card.status, card.successor))
            self._connection.execute("DELETE FROM own_event WHERE number = ? AND posted = 1", (card.number,))
        if (key := change.key) is not None:
            row = (generation, key.terminal, decoded(key.public_key), key.revoked)
            self._connection.execute("INSERT OR REPLACE INTO terminal_key VALUES (?, ?, ?, ?)", row)

    def _forget_others(self, generation: str) -> None:
        """The set is whole: it is the one from here on."""
        for table in ("feed", "listed", "terminal_key"):
            self._connection.execute(f"DELETE FROM {table} WHERE generation <> ?", (generation,))  # noqa: S608
