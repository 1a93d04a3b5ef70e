"""What a till may read of the books: its feed of decisions, and accounts."""

from typing import Final

from ledger.facts.cards import Listing
from ledger.rules.cards import account_of
from ledger.tables.balances import TablesBalances
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from ledger.tables.source import CARDS, listings
from offline_queue.entry import State
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Verdict

MAX_PAGE_RECORDS: Final = 2000
"""Records that one page may speak of; bounds the balances that come with it."""


class TablesFeed:
    """Reads within the running transaction."""

    def __init__(self, tables: Tables, balances: TablesBalances) -> None:
        self._tables, self.balances = tables, balances

    def page(self, terminal: str, after: int, limit: int) -> tuple[list[Verdict], list[Balance], bool]:
        """Verdicts beyond `after`, the balances of the accounts they touch, and whether there are more."""
        rows = self._tables.rows(
            "SELECT d.n, s.uid, d.record, d.count, d.state, d.code, d.detail, d.points"
            " FROM decision d JOIN stream s ON s.no = d.record >> ?"
            " WHERE d.terminal = ? AND d.n > ? ORDER BY d.n LIMIT ?",
            *(SEQ_BITS, terminal, after, limit + 1),
        )
        taken = rows[: _fitting([row[3] for row in rows[:limit]])]
        verdicts = [_verdict(*row) for row in taken]
        return verdicts, self._balances(terminal, after, len(taken)), len(rows) > len(taken)

    def _balances(self, terminal: str, after: int, count: int) -> list[Balance]:
        """Each account touched by so many verdicts, under each of its cards; verdicts are numbered without a hole."""
        query = """
            SELECT DISTINCT c.number, c.account FROM decision d
            JOIN posting p ON p.record >= d.record AND p.record < d.record + d.count
            JOIN card c ON c.account = p.account
            WHERE d.terminal = ? AND d.n > ? AND d.n <= ? ORDER BY c.number"""
        return self.balances.told(dict(self._tables.many("number, account", query, terminal, after, after + count)()))

    def balance(self, account: int, number: str) -> Balance:
        (balance,) = self.balances.told({number: account})
        return balance

    def account(self, number: str) -> int | None:
        return account_of(number, self.listing)

    def listing(self, number: str) -> Listing:
        return listings(self._tables.rows(CARDS, [number])).get(number, Listing())


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
