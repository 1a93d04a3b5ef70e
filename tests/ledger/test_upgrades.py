"""Books of an earlier version: what an upgrade makes of them is what new books are."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger import sqlite_file
from ledger.postgres_book import PostgresBook
from ledger.sqlite_book import SqliteBook
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import CARD, FakeTill, FakeTimepiece, points_of

FIRST = (Path(__file__).parent / "postgres_1.sql").read_text()
COLUMNS = """
    SELECT table_name, ordinal_position, column_name, data_type, collation_name, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'tilld' ORDER BY 1, 2"""
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'tilld' ORDER BY 1, 2"


def shape(server: Cluster) -> dict[str, list[Any]]:
    with server.connected() as connection:
        return {query: connection.execute(query).fetchall() for query in (COLUMNS, INDEXES)}


def test_upgraded_books_are_like_new_ones_in_postgresql(postgres: Cluster) -> None:
    """Column for column and index for index; and they work."""
    with closing(PostgresBook(postgres.emptied())):
        fresh = shape(postgres)
    url = postgres.emptied()
    with postgres.connected() as connection:
        connection.execute(FIRST)
    with closing(PostgresBook(url, timepiece=FakeTimepiece())) as book:
        assert shape(postgres) == fresh
        book.register(CARD)
        till = FakeTill(book)
        till.send(till.earn(10))
        assert points_of(book) == 10


def test_upgraded_books_keep_what_they_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step leaves the records, points and marks as they were."""
    path = tmp_path / "ledger.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(sqlite_file, "STEPS", sqlite_file.STEPS[:2])
        with closing(sqlite3.connect(path)) as connection:
            sqlite_file._prepare(connection, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO fact VALUES ('generation', 'g1')")
        connection.execute("INSERT INTO terminal (name, public_key, enrolled_at) VALUES ('ledger', x'', 1)")
        connection.commit()
    with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
        assert book.generation == "g1"
        book.register(CARD)
        till = FakeTill(book)
        till.send(till.earn(10))
        assert points_of(book) == 10
        assert book.verify().ok
