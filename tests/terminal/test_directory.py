"""The till's copy of balances: the newest word wins, and a damaged file costs nothing but a fetch."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drivers.base import Technology
from offline_queue.entry import CardEvent, Happening
from offline_queue.wire_accounts import Balance
from terminal.cards.directory import Directory
from terminal.cards.identification import Proof

NUMBER = "2990000000017"


def balance(points: int, as_of: str) -> Balance:
    return Balance(NUMBER, points, 0, as_of)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with closing(Directory.open(tmp_path / "directory.db", "start-1")) as directory:
        yield directory


def test_an_unknown_card_has_no_balance(directory: Directory) -> None:
    """Not zero: unknown."""
    assert directory.find(NUMBER) is None


def test_an_older_word_does_not_replace_a_newer_one(directory: Directory) -> None:
    """Answers may overtake each other, and are written with and without fractions of a second."""
    directory.hear([balance(10, "2026-03-01T10:00:00.500Z")])
    directory.hear([balance(7, "2026-03-01T10:00:00Z")])
    found = directory.find(NUMBER)
    assert found is not None
    assert found.balance.points == 10
    directory.hear([balance(12, "2026-03-01T10:00:01+00:00")])
    found = directory.find(NUMBER)
    assert found is not None
    assert found.balance.points == 12


def test_a_balance_of_an_earlier_start_is_not_fresh(tmp_path: Path) -> None:
    """It is shown, and called an estimate until the ledger has been heard again."""
    path = tmp_path / "directory.db"
    with closing(Directory.open(path, "start-1")) as directory:
        directory.hear([balance(10, "2026-03-01T10:00:00Z")])
    with closing(Directory.open(path, "start-2")) as directory:
        found = directory.find(NUMBER)
        assert found is not None
        assert (found.balance.points, found.fresh) == (10, False)
        directory.hear([balance(10, "2026-03-01T10:00:00Z")])
        found = directory.find(NUMBER)
        assert found is not None
        assert found.fresh


def test_a_proof_is_taken_once_and_by_whoever_starts_next(tmp_path: Path) -> None:
    """Only a greater counter of the same subject is new; another subject has its own."""
    path = tmp_path / "directory.db"
    with closing(Directory.open(path, "start-1")) as directory:
        assert directory.advance(Proof("sdm:04A1", 5))
        assert not directory.advance(Proof("sdm:04A1", 5))
        assert not directory.advance(Proof("sdm:04A1", 4))
        assert directory.advance(Proof("sdm:04A2", 4))
    with closing(Directory.open(path, "start-2")) as directory:
        assert not directory.advance(Proof("sdm:04A1", 5))
        assert directory.advance(Proof("sdm:04A1", 6))


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    """Its balances stay, and proofs are remembered from now on."""
    path = tmp_path / "directory.db"
    with closing(Directory.open(path, "start-1")) as directory:
        directory.hear([balance(10, "2026-03-01T10:00:00Z")])
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            "DROP TABLE taken; DROP TABLE feed; DROP TABLE listed; DROP TABLE terminal_key; DROP TABLE own_event;"
            "DROP TABLE wear;"
            "ALTER TABLE card DROP COLUMN inactive; ALTER TABLE card DROP COLUMN expiring;"
            "PRAGMA user_version = 1"
        )
    with closing(Directory.open(path, "start-2")) as directory:
        assert directory.find(NUMBER) is not None
        assert directory.advance(Proof("sdm:04A1", 1))
    assert not path.with_suffix(".damaged").exists()


def write_garbage(path: Path) -> None:
    path.write_bytes(b"no database at all, but longer than a header of one" * 40)


def write_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE stamps (colour TEXT)")
        other.commit()


def write_damaged(path: Path) -> None:
    with closing(Directory.open(path, "start-0")) as directory:
        directory.hear([balance(10, "2026-03-01T10:00:00Z")])
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)


@pytest.mark.parametrize("write", [write_garbage, write_foreign, write_damaged])
def test_a_damaged_file_is_set_aside(write: object, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The till starts with an empty copy, keeps the old file for whoever wants to look, and says so."""
    path = tmp_path / "directory.db"
    write(path)  # type: ignore[operator]
    before = path.read_bytes()
    with caplog.at_level(logging.WARNING), closing(Directory.open(path, "start-1")) as directory:
        assert directory.find(NUMBER) is None
        directory.hear([balance(3, "2026-03-01T10:00:00Z")])
    assert path.with_suffix(".damaged").read_bytes() == before
    assert "set aside" in caplog.text


def test_the_file_is_private(tmp_path: Path, directory: Directory) -> None:
    """Card numbers are in it."""
    assert (tmp_path / "directory.db").stat().st_mode & 0o777 == 0o600


def test_on_a_full_disk_it_goes_on_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that was known is lost, what is heard counts, and each proof is still taken once."""
    path = tmp_path / "directory.db"
    with closing(Directory.open(path, "start-1")) as directory:
        directory.hear([balance(10, "2026-03-01T10:00:00Z")])
        assert directory.advance(Proof("sdm:04A1", 5))
        full(directory)
        directory.hear([balance(12, "2026-03-01T10:00:01Z")] * 500 + [other(n) for n in range(500)])
        found = directory.find(NUMBER)
        assert found is not None
        assert (found.balance.points, found.fresh) == (12, True)
        assert not directory.advance(Proof("sdm:04A1", 5))
        assert directory.advance(Proof("sdm:04A1", 6))
        directory.hotlist.did("e1", NUMBER, CardEvent(Happening.BLOCK))
        assert directory.hotlist.stands(NUMBER).status == "blocked"
        directory.wear.note(NUMBER, {Technology.QR: 40})
    assert caplog.text.count("kept in memory") == 1
    with closing(Directory.open(path, "start-2")) as directory:
        found = directory.find(NUMBER)
        assert found is not None
        assert (found.balance.points, found.fresh) == (10, False)


def full(directory: Directory) -> None:
    """As on a disk without room: the file grows no more."""
    connection = directory._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def other(n: int) -> Balance:
    return Balance(f"299{n:010}", n, 0, "2026-03-01T10:00:00Z")
