"""Books of an earlier version: what an upgrade makes of them is what new books are."""

import base64
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.port.book import Book
from ledger.postgres.book import PostgresBook
from ledger.postgres.schema import TABLES
from ledger.sqlite import file
from ledger.sqlite.book import SqliteBook
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece, points_of

HERE = Path(__file__).parent
FIRST = (HERE / "postgres_1.sql").read_text()
COLUMNS = """
    SELECT table_name, ordinal_position, column_name, data_type, collation_name, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'tilld' ORDER BY 1, 2"""
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'tilld' ORDER BY 1, 2"
PIECES = """
    SELECT c.relname, c.reloptions, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), i.inhparent::regclass
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'tilld'::regnamespace ORDER BY 1"""
WHOLE = re.compile(r"CREATE TABLE (\w+) (\(.+?\)) (WITH \(fillfactor = \d+\));", re.DOTALL)


def shape(server: Cluster) -> dict[str, list[Any]]:
    with server.connected() as connection:
        return {query: connection.execute(query).fetchall() for query in (COLUMNS, INDEXES, PIECES)}


def first_version(partitions: int) -> str:
    """What makes books of the first version, every table in so many pieces as its ledger made them; 0 is in one."""

    def in_pieces(table: re.Match[str]) -> str:
        name, columns, storage = table.groups()
        whole = f"CREATE TABLE {name} {columns} PARTITION BY HASH ({TABLES[name].by});"
        bounds = (f"(MODULUS {partitions}, REMAINDER {number})" for number in range(partitions))
        pieces = (
            f"CREATE TABLE {name}_{number} PARTITION OF {name} FOR VALUES WITH {bound} {storage};"
            for number, bound in enumerate(bounds)
        )
        return "\n".join((whole, *pieces))

    return WHOLE.sub(in_pieces, FIRST) if partitions else FIRST


@pytest.mark.parametrize("partitions", [0, 3])
def test_upgraded_books_are_like_new_ones_in_postgresql(postgres: Cluster, partitions: int) -> None:
    """Column for column, index for index and partition for partition; and they work."""
    with closing(PostgresBook(postgres.emptied(), partitions=partitions)):
        fresh = shape(postgres)
    url = postgres.emptied()
    postgres.run(first_version(partitions))
    with closing(PostgresBook(url, timepiece=FakeTimepiece())) as book:
        assert shape(postgres) == fresh
        book.register(CARD)
        till = FakeTill(book)
        till.send(till.earn(10))
        assert points_of(book) == 10


@pytest.mark.parametrize("version", range(1, len(file.STEPS)))
def test_upgraded_books_keep_what_they_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """Each step leaves the records, points and marks as they were."""
    path = tmp_path / "ledger.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(file, "STEPS", file.STEPS[:version])
        with closing(sqlite3.connect(path)) as connection:
            file._prepare(connection, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO fact VALUES ('generation', 'g1')")
        connection.execute("INSERT INTO terminal (name, public_key, enrolled_at) VALUES ('ledger', x'', 1)")
        connection.commit()
    with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
        assert book.generation == "g1"
        book.register(CARD)
        till = FakeTill(book)
        again = till.earn(7, key="K")
        till.send(till.earn(7, key="K"), again, till.reverse(again), till.earn(10))
        assert points_of(book) == 10
        assert book.verify().ok


def test_points_in_sqlite_books_of_the_first_release_stay(tmp_path: Path) -> None:
    """Every step is taken over real entries, once, by whoever opens them first."""
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((HERE / "sqlite_2.sql").read_text())
    with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
        assert book.verify().problems == []
    with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
        still_there(book)


@pytest.mark.parametrize("partitions", [0, 3])
def test_points_in_postgres_books_of_the_first_release_stay(postgres: Cluster, partitions: int) -> None:
    """Every step is taken over real entries."""
    url = postgres.emptied()
    postgres.run(first_version(partitions))
    postgres.run((HERE / "postgres_1_rows.sql").read_text())
    with closing(PostgresBook(url, timepiece=FakeTimepiece())) as book:
        still_there(book)


def still_there(book: Book) -> None:
    """Sales, a redemption, a reversal, an overdraft, a promise and a sale that waits: as they were, and tills go on."""
    assert (points_of(book), points_of(book, OTHER_CARD)) == (50, -20)
    assert book.verify().problems == []
    (old,) = book.terminals()
    assert book.terminal_keys(old.name) == [base64.b64decode(old.public_key)]
    till = FakeTill(book, 2)
    till.send(till.earn(30, OTHER_CARD), till.redeem(40))
    assert (points_of(book), points_of(book, OTHER_CARD)) == (10, 10)
    assert book.register("2990000000031").opened
    assert points_of(book, "2990000000031") == 5
    assert book.verify().problems == []
