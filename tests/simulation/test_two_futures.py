"""A machine is copied while it runs: one stream goes on in two machines, and no sale of either is lost.

Copied disks open streams of their own at their start; a virtual machine's image goes on where it was.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.books.receipts import Signer
from ledger.facts.policy import Policy, UnknownCards
from ledger.port.book import Book
from ledger.sqlite.book import SqliteBook
from offline_queue.courier import Courier
from offline_queue.entry import Entry
from offline_queue.requests import Identity
from offline_queue.steps import Rest
from offline_queue.store import JournalReader, Store
from offline_queue.terminal_key import public_key
from tests.ledger.fake_till import points_of
from tests.offline_queue.sales import ORIGIN, StoppedTimepiece, put, sale
from tests.simulation.book_ledger import BookLedger

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
IDENTITY = Identity(ORIGIN.terminal, public_key(Ed25519PrivateKey.from_private_bytes(bytes(32))), "tilld test")
PATIENCE = 400
"""Requests within which a till must have said all, with the waits between them left out."""


@dataclass
class Machine:
    """One of two with the same past."""

    store: Store
    journal: JournalReader
    chance: int

    def sells(self, *entries: Entry) -> None:
        for entry in entries:
            put(self.store, entry)

    def delivers(self, book: Book, most: int | None = None) -> bool:
        """Whether the till came to rest; it breaks off after `most` requests."""
        ledger, timepiece = BookLedger(book, ORIGIN.terminal), StoppedTimepiece(self.chance)
        courier = Courier(self.store, self.journal, ledger, timepiece, IDENTITY, lambda *_: None)
        for _ in range(PATIENCE if most is None else most):
            if isinstance(courier.step(), Rest):
                if courier.state.backoff.failures == 0:
                    return True
                courier.hasten()
        return False


@contextmanager
def copied_while_running() -> Iterator[tuple[Machine, Machine]]:
    """The same chance makes the same stream; what both sell alike is their common past."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        machines = list[Machine]()
        for number in (1, 2):
            path = folder / f"{number}.db"
            store = Store.open(path, origin=ORIGIN, timepiece=StoppedTimepiece(1))
            stack.callback(store.close)
            journal = store.reader()
            stack.callback(journal.close)
            machines.append(Machine(store, journal, 10 + number))
        yield machines[0], machines[1]


@contextmanager
def books(*, signed: bool = True) -> Iterator[SqliteBook]:
    with tempfile.TemporaryDirectory() as folder:
        path, policy = Path(folder) / "ledger.db", Policy(UnknownCards.REGISTER)
        book = SqliteBook(path, policy=policy, signer=SIGNER if signed else None)
        try:
            yield book
        finally:
            book.close()


def sales(count: int, points: int) -> list[Entry]:
    return [sale(points=points) for _ in range(count)]


def all_is_there(book: Book, machine: Machine, points: int) -> None:
    totals = machine.journal.totals()
    assert (totals.queued, totals.accepted_undecided) == (0, 0)
    assert points_of(book, "2990000000017") == points
    assert book.verify().problems == []


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("past", "theirs", "ours"),
    [
        pytest.param(99, 50, 5, id="a batch ends where the futures part"),
        pytest.param(99, 3, 5, id="the other's mark lies within our own records"),
        pytest.param(99, 5, 5, id="both are as long"),
        pytest.param(250, 50, 5, id="the past takes several batches"),
        pytest.param(1100, 3, 5, id="the futures part further back than one step"),
    ],
)
def test_what_waited_at_both_machines(past: int, theirs: int, ours: int, signed: bool) -> None:
    """Neither has synced yet: custody of the other's records is never taken for custody of one's own."""
    with copied_while_running() as (first, second), books(signed=signed) as book:
        common = sales(past, 2)
        for machine, own in ((first, sales(theirs, 100)), (second, sales(ours, 1))):
            machine.sells(*common, *own)
            assert machine.delivers(book)
        all_is_there(book, second, past * 2 + theirs * 100 + ours)


@settings(max_examples=20)
@given(st.integers(1, 130), st.integers(0, 30), st.integers(0, 30), st.integers(0, 8), st.booleans())
def test_nothing_is_lost_whatever_was_said_before(past: int, theirs: int, ours: int, said: int, back: bool) -> None:
    """Either may have said a part before, and the books may be put back to nothing after all was told."""
    with copied_while_running() as (first, second), books() as before, books() as after:
        common = sales(past, 2)
        first.sells(*common, *sales(theirs, 100))
        second.sells(*common, *sales(ours, 1))
        second.delivers(before, most=said)
        assert first.delivers(before)
        assert second.delivers(before)
        if back:
            assert first.delivers(after)
            assert second.delivers(after)
        all_is_there(after if back else before, second, past * 2 + theirs * 100 + ours)
