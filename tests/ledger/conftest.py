"""Every implementation of the books, behind one door."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from ledger.commands.command_line import books as opener
from ledger.facts.policy import Policy, UnknownCards
from ledger.http.app import create_app
from ledger.http.server import LedgerServer, bound
from ledger.port.book import Book
from ledger.port.upkeep import Verification
from ledger.tables.engine import Tables
from tests.ledger.cluster import MISSING, PROGRAMS, Cluster, cluster
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece

REGISTERING = Policy(UnknownCards.REGISTER)
PARKING = Policy(UnknownCards.PARK)


class Shelfful:
    """Opens the same books again and again, as a restart does, and closes them all in the end."""

    def __init__(self, make: Callable[..., Book]) -> None:
        self._make = make
        self.timepiece = FakeTimepiece()
        self._open: list[Book] = []

    def open(self, policy: Policy = PARKING) -> Book:
        book = self._make(policy=policy, timepiece=self.timepiece)
        self._open.append(book)
        return book

    def close(self) -> None:
        for book in self._open:
            book.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A server for the whole run; each test makes its own database in it."""
    if PROGRAMS is None:
        pytest.skip(MISSING)
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place where there are no books yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return str(request.getfixturevalue("postgres").emptied())


@pytest.fixture
def shelf(database: str) -> Iterator[Shelfful]:
    books = Shelfful(opener(database, must_exist=False))
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


def bent(book: Book, *statements: str) -> Verification:
    """What `verify` says after somebody has changed the books behind the ledger's back."""

    def change(tables: Tables) -> None:
        for statement in statements:
            tables.change(statement)

    book._engine.write(change)  # type: ignore[attr-defined]
    return book.verify()


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Serves a book on a real socket; called with a book and options of `create_app`, it gives the URL."""
    with ExitStack() as running:

        def serve(book: Book, **options: Any) -> str:
            return running.enter_context(serving(book, **options))

        yield serve


@contextmanager
def serving(book: Book, **options: Any) -> Iterator[str]:
    urls: Queue[str] = Queue()
    server = LedgerServer(create_app(book, **options), bound("127.0.0.1", 0), urls.put)
    thread = Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        yield urls.get(timeout=60)
    finally:
        server.stop()
        thread.join(60)
