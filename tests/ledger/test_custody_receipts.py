"""What the ledger signs for: the stream as a till has shown it, however much of that it knew before."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.books.receipts import Signer
from ledger.port.refusals import Refused
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import CardEvent, Happening, Kind, encode
from offline_queue.receipts import genuine
from offline_queue.wire import BatchAnswer, Hello, Welcome
from tests.ledger.fake_till import CARD, START, FakeStream, FakeTill, FakeTimepiece

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
Opened = Callable[..., SqliteBook]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens books; they are closed in the end."""
    books: list[SqliteBook] = []

    def opens(signer: Signer | None = SIGNER, newest: int = 2) -> SqliteBook:
        path = tmp_path / f"{len(books)}.db"
        books.append(SqliteBook(path, timepiece=FakeTimepiece(), signer=signer, newest=newest))
        return books[-1]

    yield opens
    for book in books:
        book.close()


def greeted(book: SqliteBook, newest: int) -> Welcome:
    """What a till hears that speaks versions up to this one."""
    till = FakeTill(book)
    return book.hello(Hello("r", till.terminal, "", 1, newest, "fake 1", [], START, book.generation))


def proven(answer: BatchAnswer, till: FakeTill, stream: FakeStream, seq: int) -> None:
    custody = answer.custody
    assert custody is not None
    assert (answer.accepted, custody.seq, custody.head, custody.at) == (seq, seq, stream.hashes[seq].hex(), START)
    assert genuine(custody, till.terminal, stream.uid, SIGNER.public_key)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6))
@settings(max_examples=25)
def test_a_receipt_covers_what_the_till_has_shown(batches: list[tuple[int, int]]) -> None:
    """New batches, repeated ones and such that overlap: up to their last record, whatever else may be held."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteBook(Path(folder, "b.db"), timepiece=FakeTimepiece(), signer=SIGNER)) as book,
    ):
        till, held = FakeTill(book), 0
        for _ in range(18):
            till.journal(till.earn(1))
        for first, count in batches:
            start = min(first, held + 1)
            held = max(held, start - 1 + count)
            proven(till.deliver(till.stream, start, count), till, till.stream, start - 1 + count)


def test_each_future_of_a_copied_till_has_its_own_receipt(opened: Opened) -> None:
    """Both are held, and either till can prove what it has given away."""
    book = opened()
    till = FakeTill(book)
    till.send(till.earn(1))
    copy = till.stream.copy()
    proven(till.send(till.earn(2)), till, till.stream, 2)
    proven(till.send(till.earn(4), till.earn(8), stream=copy), till, copy, 3)
    proven(till.deliver(till.stream, 1, 2), till, till.stream, 2)


def test_without_a_key_nothing_is_signed(opened: Opened) -> None:
    """Nor by books that speak an older version than that of receipts; a till is told of the key it can use alone."""
    unsigned, old, new = opened(None), opened(SIGNER, 1), opened()
    for book in (unsigned, old):
        till = FakeTill(book)
        assert till.send(till.earn(1)).custody is None
        assert greeted(book, 2).ledger_key is None
    assert greeted(new, 1).ledger_key is None
    assert greeted(new, 2).ledger_key == SIGNER.public_key
    assert [greeted(book, 9).protocol for book in (old, new)] == [1, 2]


def test_a_till_of_an_older_version_is_not_told_of_changes(opened: Opened) -> None:
    """It would not know what they are; others hear how far the feed goes."""
    book = opened()
    book.register(CARD)
    till = FakeTill(book)
    till.send(till.entry(Kind.CARD_EVENT, 0, CARD, event=CardEvent(Happening.BLOCK)))
    assert (greeted(book, 1).changes, greeted(book, 2).changes) == (0, 2)


def test_changes_are_fetched_page_by_page(opened: Opened) -> None:
    """Each page says where the next begins; behind the last one there is nothing, and it begins there again."""
    book = opened()
    for number in range(1, 4):
        FakeTill(book, number)
    first = book.changes("r", 0, 2)
    assert ([change.n for change in first.changes], first.next, first.more) == ([1, 2], 2, True)
    last = book.changes("r", first.next, 2)
    assert ([change.n for change in last.changes], last.next, last.more) == ([3], 3, False)
    assert (book.changes("r", 3, 2).changes, book.changes("r", 3, 2).next) == ([], 3)


def test_a_batch_of_nothing_is_refused_however_it_is_told(opened: Opened) -> None:
    """Its header and its records agree, and there is nothing to hold."""
    book = opened()
    till = FakeTill(book)
    till.journal(encode(till.earn(1)))
    header, _ = till.stream.batch(1, 0, book.generation)
    with pytest.raises(Refused, match="as many records as it says"):
        book.take(till.terminal, header, [])
