"""Whose records a batch brings: a till's own, or copies of another's that it sealed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.http.gate import Enrolment, Gate
from ledger.port.refusals import Refused
from ledger.sqlite.book import SqliteBook
from offline_queue.wire import BatchHeader, ProblemCode
from tests.ledger.fake_till import FakeTimepiece
from tests.offline_queue.copies import KEY, STREAM, TERMINAL, copied, records

OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
COPY = copied(records(2))
HEADER = BatchHeader("r", STREAM, 1, 2, COPY.head, "", owner=TERMINAL, seal=COPY.seal)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqliteBook]:
    book = SqliteBook(tmp_path / "books.db", timepiece=FakeTimepiece())
    book.enrol(TERMINAL, public(KEY))
    yield book
    book.close()


def owner(book: SqliteBook) -> str:
    return Gate(book, Enrolment.CLOSED).owner("S001-T02", HEADER)


def test_a_peer_brings_sealed_copies(book: SqliteBook) -> None:
    """The seal says whose they are, whoever brings them."""
    assert owner(book) == TERMINAL


def test_copies_outlive_the_key_of_the_till_that_burnt(book: SqliteBook) -> None:
    """Another machine has the till's name by then, with a key of its own; the copies were sealed with the first."""
    book.enrol(TERMINAL, public(OTHER), replace=True)
    assert owner(book) == TERMINAL


def test_a_seal_of_nobody_known_is_refused(tmp_path: Path) -> None:
    """Only keys that this terminal has had count."""
    book = SqliteBook(tmp_path / "books.db", timepiece=FakeTimepiece())
    book.enrol(TERMINAL, public(OTHER))
    with pytest.raises(Refused) as refusal:
        owner(book)
    assert refusal.value.problem.code == ProblemCode.SIGNATURE_BAD
    book.close()


def test_a_stolen_key_seals_nothing_new(book: SqliteBook) -> None:
    """Once revoked and replaced it proves nothing."""
    book.revoke(TERMINAL, "stolen")
    book.enrol(TERMINAL, public(OTHER), replace=True)
    with pytest.raises(Refused):
        owner(book)
