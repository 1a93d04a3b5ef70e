"""Between the ledger's word and the till that hears of it: a disk that fails there loses no decision."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ledger.sqlite.book import SqliteBook
from offline_queue.courier import Courier
from offline_queue.journal import NotRecorded
from offline_queue.ledger_answers import TransientLedgerError
from offline_queue.store import Store
from offline_queue.wire import BatchAnswer, BatchHeader, Park
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Decisions, Verdict
from tests.offline_queue.at_rest import to_rest
from tests.offline_queue.journals import TIMEPIECE, opened, sell
from tests.offline_queue.test_sync import IDENTITY
from tests.simulation.book_ledger import BookLedger


class Line(BookLedger):
    """Carries nothing but a genesis until the till has asked for decisions, and so keeps its waits growing."""

    asked = 0
    full = False

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        self._broken(header.first + header.count > 2)
        return super().send(header, records)

    def park(self, park: Park) -> BatchAnswer:
        self._broken(park.seq > 1)
        return super().park(park)

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        self.asked += 1
        self.full = self.asked == 1
        return super().decisions(request, after, limit)

    def _broken(self, too_long: bool) -> None:
        if too_long and self.asked < 2:
            raise TransientLedgerError("the line broke")


class Till:
    """A courier, and the verdicts of which the till has heard."""

    def __init__(self, store: Store, book: SqliteBook) -> None:
        self.store, self.heard = store, list[Verdict]()
        self.journal = store.reader()
        self.line = Line(book, "S001-T01")
        self.courier = Courier(store, self.journal, self.line, TIMEPIECE, IDENTITY, self._settled)

    def _settled(self, verdicts: Sequence[Verdict], balances: Sequence[Balance], cursor: int) -> None:
        self.heard.extend(verdicts)

    def run(self) -> None:
        """Until there is nothing to say, whatever the waits."""
        to_rest(self.courier)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with closing(opened(tmp_path)) as store, closing(SqliteBook(tmp_path / "books.db")) as book:
        till = Till(store, book)
        yield till
        till.journal.close()


@pytest.mark.parametrize("fails", ["remember", "settle"])
def test_a_page_that_is_kept_is_heard(till: Till, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """The disk is full for one statement of those that take it over: it is taken again, or the till hears of it."""
    sell(till.store, "sale-1")
    real = getattr(till.store, fails)

    def once_full(*arguments: object) -> None:
        if till.line.full:
            till.line.full = False
            raise NotRecorded("the disk is full")
        real(*arguments)

    monkeypatch.setattr(till.store, fails, once_full)
    till.run()
    assert [verdict.n for verdict in till.heard] == [*range(1, till.journal.cursor() + 1)]
    assert not till.line.full
    assert till.journal.totals().accepted_undecided == 0
