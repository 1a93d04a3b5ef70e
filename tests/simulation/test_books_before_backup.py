"""Books that were put back to before their newest backup ask for records that a till has given up."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from offline_queue.entry import Lane
from offline_queue.mirror import Mirror
from offline_queue.store import Store
from offline_queue.timepiece import SystemTimepiece
from offline_queue.wire import BatchAnswer, BatchHeader
from tests.ledger.fake_till import points_of
from tests.offline_queue.copies import KEY, HandKeeper
from tests.offline_queue.sales import ORIGIN, StoppedTimepiece, put, sale
from tests.simulation.book_ledger import BookLedger
from tests.simulation.test_two_futures import PATIENCE, Machine, all_is_there, books

CARD = "2990000000017"
SOLD = 20


@contextmanager
def started(path: Path, chance: int) -> Iterator[Machine]:
    """A start of the till's daemon on this journal."""
    with (
        closing(Store.open(path, origin=ORIGIN, timepiece=StoppedTimepiece(chance))) as store,
        closing(store.reader()) as journal,
    ):
        yield Machine(store, journal, chance)


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """It has given up what a backup covers, has started anew and sold five points since."""
    path = tmp_path / "journal.db"
    monkeypatch.setattr("offline_queue.writer.RUN", 4)
    with started(path, 1) as machine, books() as book:
        machine.sells(*[sale() for _ in range(SOLD)])
        assert machine.delivers(book)
        assert book.backup(tmp_path / "backup.db")
        assert machine.delivers(book)
        while machine.store.trim("2099-01-01T00:00:00.000Z"):
            pass
    with started(path, 2) as machine:
        machine.sells(sale(points=5))
        yield machine


def test_what_was_given_up_holds_up_nothing_else(till: Machine) -> None:
    """The stream stays behind and the technician is told; later sales reach the books, their decisions the till."""
    with books() as older:
        assert not till.delivers(older)
        assert points_of(older, CARD) == 5
        assert older.verify().problems == []
    heads = {head.stream: head for head in till.journal.streams(all=True)}
    new = heads[till.store.stream(Lane.BULK)]
    assert new.accepted == new.seq
    behind = [head for head in heads.values() if head.accepted < head.seq]
    assert [head.accepted for head in behind] == [1]
    found = till.journal.totals()
    assert found.accepted_undecided == 0
    assert found.oldest_unaccepted_at is not None


def test_a_step_back_behind_what_was_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were garbled on their way look like another future: the till starts over with what it still has."""
    monkeypatch.setattr("offline_queue.writer.RUN", 4)
    with started(tmp_path / "journal.db", 1) as machine, books() as book:
        machine.sells(*[sale(points=2) for _ in range(SOLD)])
        assert machine.delivers(book)
        assert book.backup(tmp_path / "backup.db")
        machine.sells(sale(points=2))
        assert machine.delivers(book)
        while machine.store.trim("2099-01-01T00:00:00.000Z"):
            pass
        machine.sells(sale(points=5))
        garble_once(monkeypatch)
        assert machine.delivers(book)
        all_is_there(book, machine, 2 * SOLD + 7)


def garble_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next batch comes to the ledger with another head than its records lead to."""
    sent = BookLedger.send

    def garbled(ledger: BookLedger, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        monkeypatch.setattr(BookLedger, "send", sent)
        return sent(ledger, msgspec.structs.replace(header, head="0" * 64), records)

    monkeypatch.setattr(BookLedger, "send", garbled)


def test_a_mirror_copies_what_is_left(till: Machine) -> None:
    """Records that are gone cannot be copied; those of other streams are, and nobody waits for ever."""
    with books() as older:
        till.delivers(older, most=PATIENCE // 4)
    keeper = HandKeeper()
    mirror = Mirror(till.store, keeper, SystemTimepiece(), ORIGIN.terminal, KEY)
    mirror.start()
    try:
        entry = sale()
        put(till.store, entry)
        mirror.after_copy("", 0, lambda: None)
        keeper.until_kept(entry.id)
    finally:
        mirror.stop()
    assert all(copy.records for copy in keeper.kept)
