"""What a till may read of the books in SQLite: its feed of decisions, and accounts."""

import sqlite3
from typing import Final

from ledger.sqlite_file import SEQ_BITS
from ledger.sqlite_source import SEQ_MASK
from offline_queue.entry import State
from offline_queue.timepiece import rfc3339
from offline_queue.wire import Balance, Lot, Verdict

MAX_PAGE_RECORDS: Final = 2000
"""Records that one page may speak of; bounds the balances that come with it."""


class SqliteFeed:
    """Reads through the connection of the running transaction; `as_of` in ms since 1970."""

    def __init__(self, connection: sqlite3.Connection, as_of: int) -> None:
        self._connection = connection
        self._as_of = rfc3339(as_of)

    def page(self, terminal: str, after: int, limit: int) -> tuple[list[Verdict], list[Balance], bool]:
        """Verdicts beyond `after`, the balances of the accounts they touch, and whether there are more."""
        rows = self._connection.execute(
            "SELECT d.n, s.uid, d.record, d.count, d.state, d.code, d.detail, d.points"
            " FROM decision d JOIN stream s ON s.no = d.record >> ?"
            " WHERE d.terminal = ? AND d.n > ? ORDER BY d.n LIMIT ?",
            (SEQ_BITS, terminal, after, limit + 1),
        ).fetchall()
        taken = rows[: _fitting([row[3] for row in rows[:limit]])]
        verdicts = [_verdict(*row) for row in taken]
        return verdicts, self._balances([(row[2], row[3]) for row in taken]), len(rows) > len(taken)

    def _balances(self, stretches: list[tuple[int, int]]) -> list[Balance]:
        """Each account touched by these stretches of records, under each of its cards."""
        touched: dict[str, Balance] = {}
        query = """
            SELECT DISTINCT c.number, a.balance, a.reserved FROM posting p
            JOIN account a ON a.no = p.account JOIN card c ON c.account = a.no
            WHERE p.record >= ? AND p.record < ? ORDER BY c.number"""
        for record, count in stretches:
            for number, points, reserved in self._connection.execute(query, (record, record + count)):
                touched[number] = Balance(number, points, reserved, self._as_of)
        return list(touched.values())

    def account(self, number: str) -> int | None:
        row = self._connection.execute("SELECT account FROM card WHERE number = ?", (number,)).fetchone()
        return None if row is None else int(row[0])

    def balance(self, account: int, number: str) -> Balance:
        row = self._connection.execute("SELECT balance, reserved FROM account WHERE no = ?", (account,)).fetchone()
        points, reserved = row
        return Balance(number, points, reserved, self._as_of)

    def lots(self, account: int) -> list[Lot]:
        """Those not used up, the oldest first; one below zero is an overdraft."""
        query = """
            SELECT p.entry, l.earned_at, l.points, l.remaining FROM lot l JOIN posting p ON p.record = l.record
            WHERE l.account = ? AND l.remaining <> 0 ORDER BY l.earned_at, l.record"""
        rows = self._connection.execute(query, (account,))
        return [Lot(entry, rfc3339(earned_at), points, remaining) for entry, earned_at, points, remaining in rows]


def _fitting(counts: list[int]) -> int:
    """How many verdicts a page takes, at least one."""
    total = 0
    for index, count in enumerate(counts):
        total += count
        if index and total > MAX_PAGE_RECORDS:
            return index
    return len(counts)


def _verdict(
    n: int, uid: str, record: int, count: int, state: str, code: str, detail: str | None, points: int | None
) -> Verdict:
    first = record & SEQ_MASK
    return Verdict(n, uid, first, first + count - 1, State(state), code, detail, points)
