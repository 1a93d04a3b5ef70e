"""The thread that copies: after the answer, before it, and when the mirror is away."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from offline_queue import mirror as mirror_module
from offline_queue.entry import Entry, Lane, decode
from offline_queue.mirror import Mirror, MirrorReport
from offline_queue.mirror_copy import Copy, FolderKeeper, MirrorUnreachable
from offline_queue.store import Store
from offline_queue.timepiece import SystemTimepiece
from offline_queue.wire import Marks, StreamHead
from tests.offline_queue.copies import KEY, TERMINAL, HandKeeper
from tests.offline_queue.sales import open_store, put, sale
from tests.offline_queue.waiting import Heard, Swallowed

PATIENCE_S = 30.0


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(path)) as store:
        yield store


@pytest.fixture
def keeper() -> HandKeeper:
    return HandKeeper()


@pytest.fixture
def mirror(store: Store, keeper: HandKeeper) -> Iterator[Mirror]:
    mirror = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=60_000)
    mirror.start()
    yield mirror
    keeper.go.set()
    mirror.stop()


def sold(store: Store, mirror: Mirror, told: Heard[str], entry: Entry | None = None) -> Entry:
    """A sale, and in `told` its key once its answer need not wait any more."""
    entry = entry or sale()
    done = put(store, entry)
    mirror.after_copy(done.stream, done.seq, lambda: told(entry.key))
    return entry


def held(keeper: HandKeeper) -> list[str]:
    return [record for copy in keeper.kept for record in copy.records]


def heads(store: Store) -> list[StreamHead]:
    with closing(store.reader()) as journal:
        return journal.streams(all=True)


def kept_in(folder: FolderKeeper) -> set[str]:
    """The ids of the entries of which there is a copy."""
    copies = [copy for _, stream, _ in folder.streams() for copy in folder.copies(TERMINAL, stream)]
    return {decode(record.encode()).id for copy in copies for record in copy.records}


def settled(store: Store, keeper: FolderKeeper) -> MirrorReport:
    """A mirror starts, copies all that there is and one more sale, and stops: its last report."""
    mirror, told = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=60_000), Heard[str]()
    mirror.start()
    last = sold(store, mirror, told)
    told.until(lambda key: key == last.key, PATIENCE_S)
    mirror.stop()
    return mirror.report


def test_an_answer_waits_for_its_copy(store: Store, mirror: Mirror, keeper: HandKeeper) -> None:
    """With the answer comes the certainty that two disks have the sale."""
    told = Heard[str]()
    keeper.go.clear()
    entry = sold(store, mirror, told)
    assert keeper.asked.wait(PATIENCE_S)
    assert told.all == []
    keeper.go.set()
    told.until(lambda key: key == entry.key, PATIENCE_S)
    assert any(entry.id in record for record in held(keeper))


def test_what_was_there_before_is_copied_too(store: Store, keeper: HandKeeper) -> None:
    """A mirror that is set up later begins with all that is not with the ledger."""
    entries = [sale() for _ in range(5)]
    for entry in entries:
        put(store, entry)
    mirror, told = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=60_000), Heard[str]()
    mirror.start()
    last = sold(store, mirror, told)
    told.until(lambda key: key == last.key, PATIENCE_S)
    mirror.stop()
    assert all(any(entry.id in record for record in held(keeper)) for entry in [*entries, last])


def test_nobody_waits_for_a_mirror_that_is_away(store: Store, mirror: Mirror, keeper: HandKeeper) -> None:
    """The first sale finds out, those after it are answered at once; when the mirror is back it has them all."""
    told = Heard[str]()
    keeper.cut = True
    entries = [sold(store, mirror, told)]
    told.until(lambda key: key == entries[0].key, PATIENCE_S)
    assert not mirror.report.reachable
    assert "cable" in mirror.report.detail
    entries.append(sold(store, mirror, told))
    assert told.all[-1] == entries[-1].key
    keeper.cut = False
    entries.append(sold(store, mirror, told))
    for entry in entries:
        keeper.until_kept(entry.id)


def _rested(mirror: Mirror, told: Heard[str], store: Store) -> None:
    """One more round has ended."""
    entry = sold(store, mirror, told)
    told.until(lambda key: key == entry.key, PATIENCE_S)


def test_a_mirror_that_hangs_keeps_a_customer_no_longer_than_agreed(store: Store, keeper: HandKeeper) -> None:
    """The folder of another machine can block for minutes."""
    mirror, told = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=20), Heard[str]()
    keeper.go.clear()
    mirror.start()
    entry = sold(store, mirror, told)
    told.until(lambda key: key == entry.key, PATIENCE_S)
    assert held(keeper) == []
    keeper.go.set()
    mirror.stop()


def test_without_a_wait_the_answer_comes_first(store: Store, keeper: HandKeeper) -> None:
    """The copy follows behind."""
    mirror, told = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY), Heard[str]()
    keeper.go.clear()
    mirror.start()
    entry = sold(store, mirror, told)
    assert told.all == [entry.key]
    keeper.go.set()
    keeper.until_kept(entry.id)
    mirror.stop()
    assert told.all == [entry.key], "it is told once"


def test_before_its_first_copy_it_says_that_there_is_none(store: Store, keeper: HandKeeper) -> None:
    """It is not said to be away before anybody has tried; and what was never started can be stopped, twice."""
    mirror = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY)
    assert mirror.report == MirrorReport(reachable=True, behind=0, detail="Nothing was copied yet.")
    for _ in range(2):
        mirror.stop()


def test_what_the_ledger_has_is_copied_no_more(store: Store, mirror: Mirror, keeper: HandKeeper) -> None:
    """Card numbers should not lie about on two machines longer than they must."""
    told = Heard[str]()
    first = sold(store, mirror, told)
    told.until(lambda key: key == first.key, PATIENCE_S)
    bulk, urgent = store.stream(Lane.BULK), store.stream(Lane.URGENT)
    store.mark({bulk: Marks(2, 0), urgent: Marks(1, 0)}, "books")
    second = sold(store, mirror, told)
    told.until(lambda key: key == second.key, PATIENCE_S)
    _rested(mirror, told, store)
    assert urgent in keeper.forgotten
    store.mark({bulk: Marks(4, 0)}, "books")
    third = sold(store, mirror, told)
    told.until(lambda key: key == third.key, PATIENCE_S)
    assert any(third.id in record for record in held(keeper))


def test_what_the_ledger_took_first_waits_for_no_copy(store: Store, keeper: HandKeeper) -> None:
    """Two places have it: the customer need not wait for a third."""
    entry, told = sale(), Heard[str]()
    done = put(store, entry)
    store.mark({head.stream: Marks(head.seq, 0) for head in heads(store)}, "books")
    mirror = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=60_000)
    mirror.after_copy(done.stream, done.seq, lambda: told(entry.key))
    mirror.start()
    told.until(lambda key: key == entry.key, PATIENCE_S)
    mirror.stop()
    assert not any(entry.id in record for record in held(keeper))


def test_nobody_is_told_of_a_copy_of_something_else(store: Store, mirror: Mirror) -> None:
    """Neither by an earlier record of the same stream, nor by another stream's."""
    told = Heard[str]()
    mirror.after_copy(store.stream(Lane.URGENT), 99, lambda: told("beyond"))
    mirror.after_copy("f" * 32, 1, lambda: told("elsewhere"))
    sales = []
    for _ in range(3):
        sales.append(sold(store, mirror, told).key)
        told.until(lambda key: key == sales[-1], PATIENCE_S)
    assert told.all == sales
    mirror.stop()
    assert sorted(told.all) == sorted([*sales, "beyond", "elsewhere"])


@pytest.mark.parametrize("trouble", [MirrorUnreachable("the cable is out"), ZeroDivisionError("a defect of ours")])
def test_a_mirror_that_is_back_has_all_without_another_sale(
    store: Store, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """It is asked again soon, whatever kept it away; till then people are told how much is in one place alone."""
    monkeypatch.setattr(mirror_module, "RETRY_S", 0.01)
    monkeypatch.setattr(mirror_module, "LOOK_S", 600.0)
    keeper = HandKeeper()
    mirror, entry, refused = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY), sale(), Heard[MirrorReport]()

    def refuse(copy: Copy) -> None:
        refused(mirror.report)
        raise trouble

    monkeypatch.setattr(keeper, "keep", refuse)
    put(store, entry)
    mirror.start()
    report = refused.until(lambda report: not report.reachable, PATIENCE_S)
    assert (report.behind, str(trouble) in report.detail) == (sum(head.seq for head in heads(store)), True)
    monkeypatch.setattr(keeper, "keep", partial(HandKeeper.keep, keeper))
    keeper.until_kept(entry.id)
    mirror.stop()
    assert mirror.report == MirrorReport(reachable=True, behind=0, detail="Fine.")


def test_copies_are_given_up_without_another_sale(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop is closed, and the ledger has everything: the mirror looks now and then."""
    monkeypatch.setattr(mirror_module, "RETRY_S", 600.0)
    monkeypatch.setattr(mirror_module, "LOOK_S", 0.01)
    forgotten, keeper = Heard[str](), HandKeeper()
    monkeypatch.setattr(keeper, "forget", lambda _, stream, __: forgotten(stream))
    mirror, told = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=60_000), Heard[str]()
    mirror.start()
    entry = sold(store, mirror, told)
    told.until(lambda key: key == entry.key, PATIENCE_S)
    store.mark({head.stream: Marks(head.seq, 0) for head in heads(store)}, "books")
    for head in heads(store):
        forgotten.until(lambda stream, head=head: stream == head.stream, PATIENCE_S)  # type: ignore[misc]
    monkeypatch.setattr(mirror_module, "RETRY_S", 5.0)
    mirror.stop()


def test_copies_of_a_journal_that_was_lost_stay_until_they_are_delivered(path: Path, tmp_path: Path) -> None:
    """The till starts anew under its name and with its mirror: what that has may be nowhere else. People hear so."""
    folder = FolderKeeper(tmp_path / "office")
    with closing(open_store(path)) as lost:
        entry = sale()
        put(lost, entry)
        settled(lost, folder)
    (tmp_path / "new").mkdir()
    with closing(open_store(tmp_path / "new" / "journal.db")) as anew:
        report = settled(anew, folder)
        assert (report.reachable, report.behind, report.strays) == (True, 0, 2)
        assert "tilld mirror deliver" in report.detail
        assert entry.id in kept_in(folder)
        for stream in {stream for _, stream, _ in folder.streams()} - {head.stream for head in heads(anew)}:
            folder.forget(TERMINAL, stream, 10)
        assert settled(anew, folder).strays == 0


def test_copies_of_what_a_put_back_journal_lacks_stay(path: Path, tmp_path: Path) -> None:
    """The disk is as it was on an earlier day: it knows the stream, and not how it went on."""
    folder = FolderKeeper(tmp_path / "office")
    with closing(open_store(path)) as store:
        put(store, sale())
        store.remember("image", "made")
        image = tmp_path / "image.db"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(image)) as copy:
            source.backup(copy)
        entry = sale()
        put(store, entry)
        settled(store, folder)
    with closing(open_store(image)) as put_back:
        put_back.mark({head.stream: Marks(head.seq, 0) for head in heads(put_back)}, "books")
        assert settled(put_back, folder).strays == 1
    assert entry.id in kept_in(folder)


def test_everybody_is_released_at_the_end(store: Store, keeper: HandKeeper) -> None:
    """A till that stops leaves no POS without its answer."""
    mirror, told = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY, wait_ms=60_000), Heard[str]()
    keeper.go.clear()
    mirror.start()
    entry = sold(store, mirror, told)
    assert keeper.asked.wait(PATIENCE_S)
    stopping = threading.Thread(target=mirror.stop)
    stopping.start()
    told.until(lambda key: key == entry.key, PATIENCE_S)
    keeper.go.set()
    stopping.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in mirror._threads)
    late = sold(store, mirror, told)
    assert told.all[-1] == late.key


def test_a_stop_is_heard_that_comes_before_the_thread_clears_its_wake_up(store: Store, keeper: HandKeeper) -> None:
    """It would be slept over, and the end of the till would wait for it in vain."""
    mirror = Mirror(store, keeper, SystemTimepiece(), TERMINAL, KEY)
    wake = mirror._wake = Swallowed(mirror.stop)
    mirror.start()
    assert wake.told.wait(PATIENCE_S)
    copying = mirror._threads[0]
    copying.join(PATIENCE_S / 2)
    assert not copying.is_alive()
    wake.stopper.join(PATIENCE_S)
