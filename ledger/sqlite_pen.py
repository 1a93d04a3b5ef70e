"""Writes what a batch has changed into SQLite, in bulk, inside the caller's transaction."""

import sqlite3
from collections.abc import Iterable

from ledger.feed import Span, spans
from ledger.lots import Shelf
from ledger.sheet import Sheet
from ledger.source import Posting
from ledger.sqlite_source import key_hash


class SqlitePen:
    """Holds the connection of the running transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def write(self, sheet: Sheet) -> None:
        self._claims(sheet.claims)
        self._postings(sheet.postings)
        self._accounts(sheet)
        self._shelves(sheet.shelves)
        self._duplicates(sheet)
        self._rights(sheet)
        self._waits(sheet.waits)
        self.tell(spans(sheet.rulings))

    def tell(self, told: Iterable[Span]) -> None:
        """Verdicts, numbered on from each terminal's last."""
        last: dict[str, int] = {}
        rows = []
        for span in told:
            terminal, decision = span.terminal, span.decision
            last[terminal] = n = (last.get(terminal) or self._decided(terminal)) + 1
            count = span.last - span.first + 1
            rows.append((terminal, n, span.record, count, decision.state, decision.code, decision.detail, span.points))
        self._connection.executemany("INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._connection.executemany(
            "UPDATE terminal SET decided = ? WHERE name = ?", ((n, terminal) for terminal, n in last.items())
        )

    def _decided(self, terminal: str) -> int:
        row = self._connection.execute("SELECT decided FROM terminal WHERE name = ?", (terminal,)).fetchone()
        return int(row[0])

    def _claims(self, claims: Iterable[tuple[str, int]]) -> None:
        rows = ((key_hash(key), record) for key, record in claims)
        self._connection.executemany("INSERT INTO claim (hash, record) VALUES (?, ?)", rows)

    def _postings(self, postings: Iterable[Posting]) -> None:
        rows = ((p.record, p.entry, p.account, p.points, p.original, p.code, p.posted_at) for p in postings)
        self._connection.executemany("INSERT INTO posting VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _accounts(self, sheet: Sheet) -> None:
        """In the order of their numbers, so that engines with row locks meet them in one order."""
        self._connection.executemany(
            "INSERT INTO account (no, balance, reserved) VALUES (?, ?, ?)"
            " ON CONFLICT (no) DO UPDATE SET balance = excluded.balance, reserved = excluded.reserved",
            ((s.account, s.balance, s.reserved) for _, s in sorted(sheet.standings.changed.items())),
        )
        self._connection.executemany("INSERT INTO card (number, account) VALUES (?, ?)", sheet.cards.changed.items())

    def _shelves(self, shelves: dict[int, Shelf]) -> None:
        made = [
            (lot.record, account, lot.earned_at, lot.points, lot.remaining)
            for account, shelf in shelves.items()
            for lot in shelf.made
        ]
        self._connection.executemany("INSERT INTO lot VALUES (?, ?, ?, ?, ?)", made)
        moves = [(*key, points) for shelf in shelves.values() for key, points in shelf.moves.items() if points]
        self._connection.executemany("INSERT INTO move (record, lot, points) VALUES (?, ?, ?)", moves)
        moved = {lot: shelf.lots[lot].remaining for shelf in shelves.values() for _, lot in shelf.moves}
        self._connection.executemany(
            "UPDATE lot SET remaining = ? WHERE record = ?", ((remaining, lot) for lot, remaining in moved.items())
        )

    def _duplicates(self, sheet: Sheet) -> None:
        self._connection.executemany(
            "INSERT INTO duplicate (entry, first) VALUES (?, ?) ON CONFLICT (entry) DO NOTHING",
            sheet.duplicates.changed.items(),
        )

    def _rights(self, sheet: Sheet) -> None:
        self._connection.executemany(
            "INSERT INTO allowance VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            (
                (r.id, r.terminal, r.stream, r.card, r.points, r.account, r.state, r.code)
                for r in sheet.rights.changed.values()
            ),
        )

    def _waits(self, waits: dict[int, str | None]) -> None:
        self._connection.executemany("DELETE FROM waiting WHERE record = ?", ((record,) for record in waits))
        self._connection.executemany(
            "INSERT INTO waiting (record, reason) VALUES (?, ?)",
            ((record, reason) for record, reason in waits.items() if reason is not None),
        )
