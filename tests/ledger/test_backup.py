"""Backups: what they cover tills may give up, and nothing else."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.books import backup
from ledger.commands.command_line import books
from ledger.facts.policy import Policy
from ledger.port.book import Book
from ledger.port.refusals import NotRecorded, Refused
from ledger.sqlite.book import SqliteBook
from offline_queue.wire import Marks
from tests.ledger.cluster import Cluster
from tests.ledger.conftest import Shelfful, bent
from tests.ledger.fake_till import CARD, FakeTill, FakeTimepiece, points_of
from tests.ledger.test_commands import refused, run


def stable(till: FakeTill) -> int:
    return till.hello().streams[till.stream.uid].stable


class TestDeclared:
    def test_what_was_held_before_a_declared_backup_is_stable(self, book: Book, till: FakeTill) -> None:
        """Not what came while it was made: nobody knows whether that is in it."""
        till.send(till.earn(1), till.earn(2))
        book.begin_backup()
        assert till.send(till.earn(4)).stable == 0
        assert book.declare_backup() == 1
        assert stable(till) == 2
        assert till.send(till.earn(8)).stable == 2

    def test_only_a_backup_that_was_begun_counts_and_once(self, book: Book, till: FakeTill) -> None:
        """Without a beginning nobody can say what is in it."""
        till.send(till.earn(1))
        for _ in range(2):
            with pytest.raises(Refused, match="--begin"):
                book.declare_backup()
            book.begin_backup()
            book.declare_backup()
        assert stable(till) == 1

    def test_of_two_backups_that_overlap_the_first_counts(self, book: Book, till: FakeTill) -> None:
        """Whichever is declared may be the first, which lacks what came before the second began; the next covers it."""
        till.send(till.earn(1))
        noted = book.begin_backup()
        till.send(till.earn(2))
        assert book.begin_backup() == noted
        book.declare_backup()
        assert stable(till) == 1
        with pytest.raises(Refused, match="--begin"):
            book.declare_backup()
        book.begin_backup()
        book.declare_backup()
        assert stable(till) == 2

    def test_what_another_backup_covers_by_then_is_not_brought_forward(self, book: Book, till: FakeTill) -> None:
        """Nor back: a stream may be given up as far as its newest backup reaches."""
        till.send(till.earn(1), till.earn(2))
        book.begin_backup()
        bent(book, "UPDATE stream SET stable = mark")
        assert book.declare_backup() == 0
        assert stable(till) == 2

    def test_with_a_replica_the_commit_is_enough(self, shelf: Shelfful) -> None:
        """Accepted is stable, in answers and at hello."""
        book = shelf.open(Policy(stable_on_commit=True))
        book.register(CARD)
        till = FakeTill(book)
        assert till.send(till.earn(1), till.earn(2)).stable == 2
        assert till.hello().streams[till.stream.uid] == Marks(2, 2)


@pytest.fixture
def file_book(tmp_path: Path) -> SqliteBook:
    book = SqliteBook(tmp_path / "ledger.db", timepiece=FakeTimepiece())
    book.register(CARD)
    return book


class TestCopies:
    def test_a_copy_is_whole_private_and_covers_what_it_holds(self, file_book: SqliteBook, tmp_path: Path) -> None:
        """The books go on; put back, the copy has every point of its moment."""
        path = tmp_path / "copy" / "ledger.db"
        path.parent.mkdir()
        with closing(file_book):
            till = FakeTill(file_book)
            till.send(till.earn(10), till.earn(20))
            assert file_book.backup(path) == 1
            till.send(till.earn(40))
            assert stable(till) == 2
            assert file_book.backup(path) == 1
            till.send(till.earn(80))
        assert [file.name for file in path.parent.iterdir()] == ["ledger.db"]
        assert path.stat().st_mode & 0o777 == 0o600
        with closing(SqliteBook(path, timepiece=FakeTimepiece())) as again:
            assert points_of(again) == 70
            assert again.verify().ok

    def test_a_copy_that_brings_nothing_forward_says_so(self, file_book: SqliteBook, tmp_path: Path) -> None:
        """The books are as they were at the last one; a stream that came since is not in it and not covered."""
        with closing(file_book):
            till = FakeTill(file_book)
            till.send(till.earn(10))
            assert [file_book.backup(tmp_path / name) for name in ("one.db", "two.db")] == [1, 0]
            other = till.new_stream()
            till.send(till.earn(20), stream=other)
            marks = backup.marks_in(tmp_path / "two.db")
            assert file_book._engine.write(lambda tables: backup.cover(tables, marks)) == 0
            assert till.hello(till.stream, other).streams == {till.stream.uid: Marks(1, 1), other.uid: Marks(1, 0)}

    def test_an_older_copy_takes_nothing_back(self, file_book: SqliteBook, tmp_path: Path) -> None:
        """What a newer one covers stays covered."""
        with closing(file_book):
            till = FakeTill(file_book)
            till.send(till.earn(10))
            file_book.backup(tmp_path / "old.db")
            till.send(till.earn(20))
            file_book.backup(tmp_path / "new.db")
            till.send(till.earn(40))
            marks = backup.marks_in(tmp_path / "old.db")
            assert file_book._engine.write(lambda tables: backup.cover(tables, marks)) == 0
            assert stable(till) == 2

    def test_what_a_copy_left_that_was_cut_off_is_in_nobodys_way(self, file_book: SqliteBook, tmp_path: Path) -> None:
        """Half a file, or somebody's text."""
        with closing(file_book):
            (tmp_path / "copy.db.new").write_text("half a copy, cut off by a power cut" * 99)
            file_book.backup(tmp_path / "copy.db")
        assert not (tmp_path / "copy.db.new").exists()
        assert backup.marks_in(tmp_path / "copy.db") == {}

    def test_a_copy_that_cannot_be_made_covers_nothing(self, file_book: SqliteBook, tmp_path: Path) -> None:
        """No folder, or a folder in its place: the books and what was there before stay as they are."""
        with closing(file_book):
            till = FakeTill(file_book)
            till.send(till.earn(10))
            for path in (tmp_path / "nowhere" / "ledger.db", tmp_path):
                with pytest.raises(NotRecorded):
                    file_book.backup(path)
            assert stable(till) == 0

    def test_a_copy_that_is_not_sound_covers_nothing(
        self, file_book: SqliteBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is opened and read before it counts."""
        path = tmp_path / "copy.db"
        real = file_book._engine.copy

        def spoilt(target: Path) -> None:
            real(target)
            with target.open("r+b") as out:
                out.seek(8192)
                out.write(b"\xff" * 4096)

        monkeypatch.setattr(file_book._engine, "copy", spoilt)
        with closing(file_book):
            till = FakeTill(file_book)
            till.send(till.earn(10))
            with pytest.raises(NotRecorded, match="not sound"):
                file_book.backup(path)
            assert stable(till) == 0


class TestCommand:
    def test_sqlite_books_are_copied(self, tmp_path: Path) -> None:
        """With the server up or down; one of FILE, --begin and --declare."""
        url, copy = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "copy.db"
        run(url, "register", CARD)
        with closing(books(url, must_exist=True)()) as book:
            FakeTill(book).send(FakeTill(book).earn(5))
        os.mkfifo(tmp_path / "pipe")
        assert "is no file" in refused("backup", str(tmp_path / "pipe"), "--database", url)
        assert (tmp_path / "pipe").is_fifo()
        assert "1 stream covered" in run(url, "backup", str(copy)).stdout
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT count(*) FROM record").fetchone() == (1,)
        assert "one of FILE" in refused("--database", url, "backup")
        assert "one of FILE" in refused("--database", url, "backup", str(copy), "--begin")

    def test_postgresql_books_are_backed_up_by_its_own_tools(self, postgres: Cluster, tmp_path: Path) -> None:
        """The command says how."""
        url = str(postgres.emptied())
        run(url, "register", CARD)
        assert "pg_basebackup" in refused("--database", url, "backup", str(tmp_path / "copy.db"))
        assert "declare" in run(url, "backup", "--begin").stdout
        assert "0 streams" in run(url, "backup", "--declare").stdout
