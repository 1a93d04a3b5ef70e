"""The file below the books: what is not ours stays untouched, what was changed behind our back is found."""

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ledger.port.refusals import BooksUnusable, NotRecorded
from ledger.sqlite.book import SqliteBook
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece, points_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Closed books with a bit of everything in them."""
    path = tmp_path / "ledger.db"
    with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
        book.register(CARD)
        book.register(OTHER_CARD)
        till = FakeTill(book)
        earned = till.earn(100)
        till.send(earned, till.earn(50, OTHER_CARD), till.redeem(30), till.reverse(earned, 20))
        till.ask("a1", 10)
        assert book.verify().ok
    return path


def unusable(path: Path) -> str:
    """The refusal's words; the file is as it was."""
    before = path.read_bytes()
    with pytest.raises(BooksUnusable) as refusal:
        SqliteBook(path)
    assert path.read_bytes() == before
    return str(refusal.value)


class TestOpening:
    def test_books_are_private_and_durable(self, path: Path) -> None:
        """Mode 0600, write-ahead log, a full sync at each commit."""
        assert path.stat().st_mode & 0o777 == 0o600
        with closing(SqliteBook(path)) as book:
            pragmas = [
                book._engine.connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("journal_mode", "synchronous")
            ]
        assert pragmas == ["wal", 2]

    def test_a_file_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        """A text, somebody's database, a till's journal: refused with what to do."""
        text = tmp_path / "notes.txt"
        text.write_text("my notes " * 100)
        assert "no SQLite database" in unusable(text)
        foreign = tmp_path / "foreign.db"
        with closing(sqlite3.connect(foreign)) as connection:
            connection.execute("CREATE TABLE recipe (name TEXT)")
        assert "no tilld ledger" in unusable(foreign)

    def test_books_whose_making_was_cut_off_are_made_again(self, tmp_path: Path) -> None:
        """Power that fails at the very first start leaves a database in which nothing is yet."""
        path = tmp_path / "ledger.db"
        with closing(sqlite3.connect(path)) as cut_off:
            cut_off.execute("PRAGMA journal_mode = WAL")
        assert path.stat().st_size > 0
        with closing(SqliteBook(path)) as book:
            assert book.verify().ok

    def test_books_of_a_later_version_are_left_alone(self, path: Path) -> None:
        """An older tilld does not guess at what it does not know."""
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        assert "Update tilld" in unusable(path)

    def test_books_put_back_from_a_copy_take_another_generation(self, path: Path) -> None:
        """Nobody told them that they are of yesterday: the first till that was told of more does, once."""
        copy = path.with_name("copy.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(SqliteBook(path)) as book:
            till, generation = FakeTill(book, 2), book.generation
            till.send(till.earn(1), till.earn(2))
            assert till.hello(accepted=2).generation == generation
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        copy.rename(path)
        with closing(SqliteBook(path)) as book:
            till.book, till.known = book, generation
            assert book.enrol(till.terminal, till.key)
            welcome = till.hello(accepted=2)
            assert welcome.generation == book.generation != generation
            assert welcome.streams[till.stream.uid].accepted == 0
            till.known = book.generation
            assert till.deliver(till.stream, 1, 2).accepted == 2
            assert till.hello(accepted=2).generation == till.known
        with closing(SqliteBook(path)) as book:
            assert book.generation == till.known

    def test_books_that_were_cut_short_are_left_alone(self, path: Path) -> None:
        """A copy that broke off is not taken for the whole."""
        os.truncate(path, path.stat().st_size - 8192)
        assert "cut short" in unusable(path)

    def test_a_folder_that_cannot_be_is_said_so(self, tmp_path: Path) -> None:
        """No traceback for a path through a file."""
        (tmp_path / "file").write_text("x")
        with pytest.raises(BooksUnusable):
            SqliteBook(tmp_path / "file" / "ledger.db")

    def test_two_processes_write_one_after_the_other(self, path: Path) -> None:
        """The office registers cards while the server takes batches: nothing is lost and nobody is refused."""
        with closing(SqliteBook(path)) as server, closing(SqliteBook(path)) as office:
            till = FakeTill(server, 2)
            cards = [f"29910000{n:05d}" for n in range(40)]
            worker = threading.Thread(target=lambda: [office.register(card, 5) for card in cards])
            worker.start()
            for _ in range(40):
                till.send(till.earn(1))
            worker.join()
            assert [points_of(server, card) for card in cards] == [5] * 40
            assert points_of(server) == 50 + 40
            assert server.verify().ok

    def test_a_full_disk_refuses_the_whole_batch_and_mends_itself(self, path: Path) -> None:
        """Nothing half-written; when there is room again the same batch is taken."""
        with closing(SqliteBook(path)) as book:
            till = FakeTill(book, 2)
            (pages,) = book._engine.connection.execute("PRAGMA page_count").fetchone()
            book._engine.connection.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(NotRecorded):
                till.send(*(till.earn(1) for _ in range(1000)))
            assert (points_of(book), till.feed()) == (50, [])
            book._engine.connection.execute("PRAGMA max_page_count = 1000000")
            assert till.deliver(till.stream, 1, 1000).accepted == 1000
            assert points_of(book) == 1050
            assert book.verify().ok

    def test_closed_books_say_so(self, path: Path) -> None:
        """Closing twice is harmless; asking afterwards is an answer, not a crash."""
        book = SqliteBook(path)
        book.close()
        book.close()
        with pytest.raises(NotRecorded):
            book.register(CARD)
        with pytest.raises(NotRecorded):
            book.terminals()
