"""The feed of changes from real books into a till's hotlist, over a line that loses and doubles pages."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger.sqlite.book import SqliteBook
from offline_queue import requests as requests_module
from offline_queue.courier import Courier
from offline_queue.entry import Happening
from offline_queue.journal import NotRecorded
from offline_queue.ledger_answers import TransientLedgerError
from offline_queue.steps import FetchChanges, Rest, TakeChanges
from offline_queue.store import Store
from offline_queue.wire_feeds import Changes
from tests.offline_queue.at_rest import to_rest
from tests.offline_queue.journals import TIMEPIECE, opened, sell
from tests.offline_queue.test_sync import IDENTITY
from tests.simulation.book_ledger import BookLedger

CARDS = [f"29900000000{n:02d}" for n in range(5)]


@dataclass
class Listed:
    """A hotlist in memory: pages as they were taken, and the cursor of each generation."""

    pages: list[TakeChanges] = field(default_factory=list)
    cursors: dict[str | None, int] = field(default_factory=dict)
    full: bool = False

    def taken(self, generation: str | None) -> int:
        return self.cursors.get(generation, 0)

    def take(self, page: TakeChanges) -> None:
        if self.full:
            raise NotRecorded("the disk is full")
        assert page.after == self.taken(page.generation)
        self.pages.append(page)
        self.cursors[page.generation] = page.cursor

    def cards(self, generation: str) -> list[str]:
        pages = [page for page in self.pages if page.generation == generation]
        return [change.card.number for page in pages for change in page.changes if change.card]


class Line(BookLedger):
    """Does to the next answers for changes what `mishaps` say: `lost`, or `late`, the answer to an earlier question."""

    def __init__(self, book: SqliteBook) -> None:
        super().__init__(book, "S001-T01")
        self.mishaps: list[str] = []
        self.last: Changes | None = None
        self.asked: list[int] = []

    def changes(self, request: str, after: int, limit: int) -> Changes:
        self.asked.append(after)
        answer, before = super().changes(request, after, limit), self.last
        self.last = answer
        match self.mishaps.pop(0) if self.mishaps else None:
            case "lost":
                raise TransientLedgerError("the answer was lost")
            case "late" if before is not None:
                return before
        return answer


@dataclass
class Pass:
    """A courier that works until there is nothing to say, whatever the waits."""

    store: Store
    line: Line
    listed: Listed
    courier: Courier

    def run(self) -> None:
        to_rest(self.courier)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqliteBook]:
    with closing(SqliteBook(tmp_path / "books.db")) as book:
        for card in CARDS:
            book.happen(card, Happening.BLOCK, "anna", "")
        yield book


@pytest.fixture
def till(tmp_path: Path, book: SqliteBook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pass]:
    monkeypatch.setattr(requests_module, "CHANGES_PER_PAGE", 2)
    with closing(opened(tmp_path)) as store, closing(store.reader()) as journal:
        line, listed = Line(book), Listed()
        courier = Courier(store, journal, line, TIMEPIECE, IDENTITY, lambda *_: None, hotlist=listed)
        yield Pass(store, line, listed, courier)


@pytest.mark.parametrize(
    "mishaps", [[], ["lost"], [None, "lost", "lost"], [None, "late"], ["lost", "late", "late", "lost"]]
)
def test_every_change_is_taken_once_in_order(till: Pass, book: SqliteBook, mishaps: list[str]) -> None:
    """Whatever the line does to the pages."""
    till.line.mishaps = mishaps
    till.run()
    assert till.listed.cards(book.generation) == CARDS
    assert till.listed.taken(book.generation) == len(CARDS) + 1, "the till's own key is the last"


def test_sales_do_not_wait_for_a_feed_that_fails(till: Pass, book: SqliteBook) -> None:
    """They are sent although no page comes through."""
    till.line.mishaps = ["lost"] * 3
    sell(till.store, "sale-1")
    till.run()
    assert any(terminal.records for terminal in book.terminals())
    assert till.listed.cards(book.generation) == CARDS


def test_a_disk_that_takes_no_page_is_asked_again(till: Pass, book: SqliteBook) -> None:
    """Nothing is half taken."""
    till.listed.full = True
    while not isinstance(getattr(step := till.courier.step(), "step", None), FetchChanges):
        assert not isinstance(step, Rest)
    assert till.listed.pages == []
    till.listed.full = False
    till.courier.hasten()
    till.run()
    assert till.listed.cards(book.generation) == CARDS


def test_a_ledger_restored_in_the_middle_is_read_from_its_beginning(till: Pass, tmp_path: Path) -> None:
    """A page of the old feed is never followed by one of the new."""
    while not till.listed.pages:
        till.courier.step()
    with closing(sqlite3.connect(tmp_path / "books.db")) as books:
        books.execute("UPDATE fact SET value = 'another' WHERE name = 'generation'")
        books.commit()
    till.courier.hasten()
    till.run()
    assert till.listed.cards("another") == CARDS
    assert till.listed.taken("another") == len(CARDS) + 1


def test_a_till_that_knows_all_asks_nothing(till: Pass, book: SqliteBook) -> None:
    """Until something changes."""
    till.run()
    till.line.asked.clear()
    till.courier.hasten()
    till.run()
    assert till.line.asked == []
    book.happen(CARDS[0], Happening.UNBLOCK, "anna", "")
    till.courier.hasten()
    till.run()
    assert till.line.asked == [len(CARDS) + 1]
