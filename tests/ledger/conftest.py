"""Every implementation of the books, behind one door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.facts import Policy, UnknownCards
from ledger.port import Book
from ledger.sqlite_book import SqliteBook
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece

REGISTERING = Policy(UnknownCards.REGISTER)
PARKING = Policy(UnknownCards.PARK)


class Shelfful:
    """Opens the same books again and again, as a restart does, and closes them all in the end."""

    def __init__(self, folder: Path, kind: str) -> None:
        assert kind == "sqlite"
        self._path = folder / "ledger.db"
        self.timepiece = FakeTimepiece()
        self._open: list[Book] = []

    def open(self, policy: Policy = PARKING) -> Book:
        book = SqliteBook(self._path, policy=policy, timepiece=self.timepiece)
        self._open.append(book)
        return book

    def close(self) -> None:
        for book in self._open:
            book.close()


@pytest.fixture(params=["sqlite"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelfful]:
    books = Shelfful(tmp_path, request.param)
    yield books
    books.close()


@pytest.fixture
def book(shelf: Shelfful) -> Book:
    """Books with two cards, each with an account."""
    book = shelf.open()
    book.register(CARD)
    book.register(OTHER_CARD)
    return book


@pytest.fixture
def till(book: Book) -> FakeTill:
    return FakeTill(book)
