"""Books on a disk that changes what it was given: a flipped bit is found, or has changed nothing that anybody reads."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.facts.policy import Policy, UnknownCards
from ledger.port.refusals import BooksUnusable, NotRecorded, Refused
from ledger.port.statements import Statement
from ledger.sqlite.book import SqliteBook
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece
from tests.virtual.bit_flips import unseen

FLIPS = 300
CARDS = (CARD, OTHER_CARD, "2990000000031")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Books that were used and closed in order."""
    path = tmp_path / "ledger.db"
    with closing(SqliteBook(path, policy=Policy(UnknownCards.REGISTER), timepiece=FakeTimepiece())) as book:
        book.register(CARD, 100)
        till, other = FakeTill(book), FakeTill(book, 2)
        sold = [till.earn(7, card) for card in CARDS]
        till.send(*sold, till.redeem(20), till.reverse(sold[0]))
        other.send(*(other.earn(points, OTHER_CARD) for points in range(1, 20)), b"not a record")
    return path


def points_of(statement: Statement | None) -> object:
    """Without the times at which the books were written, which follow from nothing else in them."""
    assert statement is not None
    lots = sorted((lot.points, lot.remaining) for lot in statement.lots)
    return statement.points, statement.reserved, lots, sorted((line.id, line.points) for line in statement.entries)


def seen(path: Path) -> object:
    """What the books say of everybody's points, or how the damage was found."""
    try:
        with closing(SqliteBook(path, timepiece=FakeTimepiece())) as book:
            verification = book.verify()
            if not verification.ok:
                return f"found: {verification.problems[0]}"
            return [points_of(book.statement(card)) for card in CARDS]
    except (BooksUnusable, NotRecorded, Refused, sqlite3.Error) as error:
        return f"refused: {error}"


def test_a_flipped_bit_is_found_or_harmless(kept: Path) -> None:
    """Whatever the books would say of anybody's points is as it was, or told to be damaged."""
    missed, found = unseen(kept, seen, seed=31, flips=FLIPS)
    assert not missed
    assert found > FLIPS / 20
