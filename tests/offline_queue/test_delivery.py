"""Copies on their way to the ledger by another till's hand; the whole journey is in tests/acceptance/test_mirror.py."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from ledger.books.receipts import Signer
from ledger.sqlite.book import SqliteBook
from offline_queue.delivery import Delivery
from offline_queue.ledger_client import HttpLedger
from offline_queue.mirror_copy import FolderKeeper
from offline_queue.wire import BatchAnswer, BatchHeader
from tests.offline_queue.copies import KEY, STREAM, TERMINAL, copied, records
from tests.offline_queue.journals import TIMEPIECE
from tests.simulation.book_ledger import BookLedger

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


def test_a_ledger_that_is_away_leaves_every_copy(tmp_path: Path) -> None:
    """And it is told how many records wait in them, not how many the first copy has."""
    keeper, raw = FolderKeeper(tmp_path), records(5)
    first = copied(raw[:2])
    keeper.keep(first)
    keeper.keep(copied(raw[2:], 3, bytes.fromhex(first.head)))
    with closing(HttpLedger("http://127.0.0.1:1", "S001-T02", KEY)) as ledger:
        done = Delivery(keeper, ledger, TIMEPIECE).bring(TERMINAL, STREAM)
    assert (done.kept, done.accepted) == (5, 0)
    assert "no connection" in (done.trouble or "")
    assert keeper.held(TERMINAL) == {STREAM: 5}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqliteBook]:
    """Books in which the owner of the copies and whoever delivers them are enrolled."""
    with closing(SqliteBook(tmp_path / "books.db", signer=SIGNER)) as book:
        for terminal in (TERMINAL, "S001-T02"):
            book.enrol(terminal, KEY.public_key().public_bytes_raw())
        yield book


class Bent(BookLedger):
    """The real books, and somebody on the way who changes their word on custody."""

    bend: Callable[[BatchAnswer], BatchAnswer] = staticmethod(lambda answer: answer)

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        return self.bend(super().send(header, records))


def unsigned(answer: BatchAnswer) -> BatchAnswer:
    return replace(answer, custody=None)


def of_more(answer: BatchAnswer) -> BatchAnswer:
    return replace(answer, accepted=answer.accepted + 5)


def of_another_chain(answer: BatchAnswer) -> BatchAnswer:
    assert answer.custody is not None
    return replace(answer, custody=replace(answer.custody, head="0" * 64))


def of_another_stream(answer: BatchAnswer) -> BatchAnswer:
    return replace(answer, stream="6" * 32)


@pytest.mark.parametrize("bend", [unsigned, of_more, of_another_chain, of_another_stream])
def test_only_what_the_ledger_has_signed_for_is_given_up(
    tmp_path: Path, book: SqliteBook, bend: Callable[[BatchAnswer], BatchAnswer]
) -> None:
    """These copies may be the only ones: an answer that proves nothing leaves them, a true one ends their time."""
    keeper, ledger = FolderKeeper(tmp_path / "kept"), Bent(book, "S001-T02")
    keeper.keep(copied(records(3)))
    key = SIGNER.public_key
    ledger.bend = bend
    done = Delivery(keeper, ledger, TIMEPIECE, key).bring(TERMINAL, STREAM)
    assert (done.accepted, done.trouble) == (0, "the ledger's receipt does not prove its custody")
    assert keeper.held(TERMINAL) == {STREAM: 3}
    ledger.bend = lambda answer: answer
    assert Delivery(keeper, ledger, TIMEPIECE, key).bring(TERMINAL, STREAM).accepted == 3
    assert keeper.held(TERMINAL) == {}
