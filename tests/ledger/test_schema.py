"""Books that an earlier version made: brought up as they are, and to the very schema that new books get."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.port import Book
from ledger.postgres_book import PostgresBook
from ledger.sqlite_book import SqliteBook
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import OTHER_CARD, FakeTill, FakeTimepiece, points_of

BOOKS = Path(__file__).parent / "books"
"""SQL of small books, as the first released schema of each engine made them."""

COLUMNS = """
    SELECT array_agg((table_name, ordinal_position, column_name, data_type, column_default, is_nullable)::text
                     ORDER BY table_name, ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'tilld'"""
INDEXES = "SELECT array_agg(indexdef ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'tilld'"


def still_the_same(book: Book) -> None:
    """Every point is where it was, and tills go on."""
    assert (points_of(book), points_of(book, OTHER_CARD)) == (50, -20)
    assert book.verify().problems == []
    till = FakeTill(book, 2)
    till.send(till.earn(30, OTHER_CARD), till.redeem(40))
    assert (points_of(book), points_of(book, OTHER_CARD)) == (10, 10)
    assert book.register("2990000000031").opened
    assert points_of(book, "2990000000031") == 5
    assert book.verify().problems == []


def test_sqlite_books_of_the_first_version_are_brought_up(tmp_path: Path) -> None:
    """Each step is taken once, in order, by whoever opens them first."""
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((BOOKS / "sqlite_2.sql").read_text())
    for _ in range(2):
        with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
            assert book.verify().ok
    with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
        still_the_same(book)


def test_postgres_books_of_the_first_version_are_brought_up(postgres: Cluster) -> None:
    """What the upgrades make is column by column, index by index, what new books get."""
    with closing(PostgresBook(postgres.emptied())):
        fresh = postgres.told(COLUMNS), postgres.told(INDEXES)
    url = postgres.emptied()
    postgres.run((BOOKS / "postgres_1.sql").read_text())
    with closing(PostgresBook(url, timepiece=FakeTimepiece())) as book:
        assert (postgres.told(COLUMNS), postgres.told(INDEXES)) == fresh
        still_the_same(book)
