"""The sync thread against a real journal and real books, with a line that a test can cut."""

import base64
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ledger.sqlite.book import SqliteBook
from offline_queue import sync as sync_module
from offline_queue.courier import Courier
from offline_queue.entry import Lane, State
from offline_queue.ledger_answers import LedgerProtocolError, LedgerRefused, TransientLedgerError
from offline_queue.requests import Identity
from offline_queue.store import NotRecorded, Store
from offline_queue.sync import Sync
from offline_queue.sync_report import FINE, SyncReport, in_words
from offline_queue.timepiece import SystemTimepiece
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, Problem, Welcome
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Decisions, Verdict
from tests.offline_queue.journals import CARD, TIMEPIECE, opened, sell
from tests.offline_queue.waiting import Heard, Swallowed
from tests.simulation.book_ledger import BookLedger

IDENTITY = Identity("S001-T01", base64.b64encode(bytes(range(32))).decode(), "tilld/test")


class CutLine(BookLedger):
    """A ledger whose every call raises `trouble` while that is set, and waits for `open` to be set."""

    def __init__(self, book: SqliteBook) -> None:
        super().__init__(book, "S001-T01")
        self.trouble: Exception | None = None
        self.open, self.entered = threading.Event(), threading.Event()
        self.open.set()
        self.batches: list[int] = []

    def hello(self, hello: Hello) -> Welcome:
        self._pass()
        return super().hello(hello)

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        self._pass()
        self.batches.append(len(records))
        return super().send(header, records)

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        self._pass()
        return super().decisions(request, after, limit)

    def _pass(self) -> None:
        self.entered.set()
        assert self.open.wait(60)
        if self.trouble is not None:
            raise self.trouble


@dataclass
class Shop:
    """A till's journal, the line and the books; `reports` and `settled` as the sync thread told them."""

    store: Store
    line: CutLine
    book: SqliteBook
    reports: Heard[SyncReport] = field(default_factory=Heard)
    settled: Heard[tuple[Sequence[Verdict], Sequence[Balance], int]] = field(default_factory=Heard)
    syncs: list[Sync] = field(default_factory=list)

    def sync(self) -> Sync:
        made = Sync(
            self.store, self.line, TIMEPIECE, IDENTITY, self.reports, lambda *page: self.settled(page)
        )  # fmt: skip
        self.syncs.append(made)
        return made

    def state_of(self, entry_id: str) -> State:
        journal = self.store.reader()
        found = journal.find_id(entry_id)
        journal.close()
        assert found is not None
        return found.state

    def points(self) -> int:
        statement = self.book.statement(CARD)
        return statement.points if statement else 0


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store, book = opened(tmp_path), SqliteBook(tmp_path / "books.db")
    book.register(CARD)
    shop = Shop(store, CutLine(book), book)
    yield shop
    shop.line.open.set()
    for sync in shop.syncs:
        sync.stop()
    store.close()
    book.close()


def test_online_sale_is_booked_at_once(shop: Shop) -> None:
    """A nudge after the commit takes the sale to the ledger and its decision back; no timer is involved."""
    sync = shop.sync()
    sync.start()
    shop.reports.until(lambda report: report.reachable)
    entry = sell(shop.store, "sale-1")
    sync.nudge()
    shop.settled.until(lambda page: any(balance.points == 5 for balance in page[1]))
    assert shop.state_of(entry.id) is State.POSTED
    assert shop.points() == 5


def test_decisions_are_durable_before_the_till_hears_of_them(shop: Shop) -> None:
    """What on_settled tells is in the journal already, cursor and all."""
    seen: list[tuple[State, bool]] = []
    entry = sell(shop.store, "sale-1")

    def on_settled(_verdicts: Sequence[Verdict], balances: Sequence[Balance], cursor: int) -> None:
        journal = shop.store.reader()
        seen.append((shop.state_of(entry.id), journal.cursor() == cursor))
        journal.close()
        shop.settled(([], balances, cursor))

    sync = Sync(shop.store, shop.line, TIMEPIECE, IDENTITY, shop.reports, on_settled)
    shop.syncs.append(sync)
    sync.start()
    shop.settled.until(lambda page: bool(page[1]))
    assert seen[-1] == (State.POSTED, True)


def test_what_a_lost_journal_had_sold_concerns_nobody(shop: Shop, tmp_path: Path) -> None:
    """The state folder was deleted and the terminal enrolled again: its feed still tells of the old streams, and the
    till hears only of what it knows."""
    sell(shop.store, "sale-1")
    first = shop.sync()
    first.start()
    shop.settled.until(lambda page: any(balance.points == 5 for balance in page[1]))
    first.stop()
    shop.store.close()
    (tmp_path / "new").mkdir()
    shop.store = opened(tmp_path / "new")
    sold, heard = sell(shop.store, "sale-2"), Heard[set[str]]()
    ours = {shop.store.stream(lane) for lane in Lane}
    second = Sync(
        shop.store, shop.line, TIMEPIECE, IDENTITY, shop.reports, lambda page, *_: heard({v.stream for v in page})
    )
    shop.syncs.append(second)
    second.start()
    heard.until(lambda told: shop.store.stream(Lane.BULK) in told)
    assert set().union(*heard.all) <= ours
    assert shop.state_of(sold.id) is State.POSTED
    assert shop.points() == 10


def test_many_sales_leave_in_few_batches(shop: Shop) -> None:
    """Nudges are coalesced: what was recorded while the ledger worked goes with the next batch."""
    for n in range(50):
        sell(shop.store, f"sale-{n}")
    sync = shop.sync()
    for _ in range(50):
        sync.nudge()
    sync.start()
    shop.reports.until(lambda report: report.accepted >= 52)
    assert shop.points() == 250
    assert len(shop.line.batches) <= 3


class Rushing(SystemTimepiece):
    """Of every look at the clock it makes half a second."""

    looks = 0

    def boottime_ms(self) -> int:
        self.looks += 1
        return super().boottime_ms() + 500 * self.looks


def test_a_long_pass_tells_how_far_it_is(shop: Shop) -> None:
    """Once a second while batches leave, not once for each; a short one tells its end alone."""
    for n in range(300):
        sell(shop.store, f"sale-{n}")
    sync = Sync(shop.store, shop.line, Rushing(), IDENTITY, shop.reports, lambda *page: shop.settled(page))
    shop.syncs.append(sync)
    sync.start()
    shop.reports.until(lambda report: report.next_attempt is not None and report.reachable)
    sent = [report.accepted for report in shop.reports.all if report.next_attempt is None]
    assert len(shop.line.batches) >= 3
    assert sent == sorted(sent)
    assert any(0 < accepted < 300 for accepted in sent)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (LedgerProtocolError("something that is no ledger answered: HTTP 200, text/html"), "no ledger answered"),
        (TransientLedgerError("no connection to http://127.0.0.1:1: refused", reached=False), "No connection"),
        (TransientLedgerError("HTTP 503", retry_after_s=3000.0), "HTTP 503"),
    ],
)
def test_silent_ledger_is_shown_and_the_sales_wait(shop: Shop, trouble: Exception, said: str) -> None:
    """The report says what happened, what it means for the points and when it is tried again; a person may hasten."""
    shop.line.trouble = trouble
    entry = sell(shop.store, "sale-1")
    sync = shop.sync()
    sync.start()
    report = shop.reports.until(lambda report: said in report.detail)
    assert (report.reachable, report.last_success) == (False, None)
    assert "wait in this till's journal" in report.detail
    assert report.next_attempt is not None
    assert shop.state_of(entry.id) is State.QUEUED
    shop.line.trouble = None
    sync.hasten()
    shop.settled.until(lambda page: bool(page[1]))
    assert shop.points() == 5
    assert sync.status.reachable


def test_refused_till_says_who_can_mend_it(shop: Shop) -> None:
    """Not enrolled: an alarm for head office, while selling goes on."""
    shop.line.trouble = LedgerRefused(Problem("not enrolled", 401, "terminal_unknown"))
    sync = shop.sync()
    sync.start()
    report = shop.reports.until(lambda report: "terminal_unknown" in report.detail)
    assert "head office" in report.detail
    assert not report.reachable
    sync.nudge()
    shop.line.trouble = None
    sync.hasten()
    shop.reports.until(lambda report: report.reachable)


def test_fault_of_our_own_does_not_end_sync(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in tilld is shown and logged; the next attempt comes all the same."""
    monkeypatch.setattr(sync_module, "BRAKE_S", 0.0)
    shop.line.trouble = ZeroDivisionError("a bug")
    sell(shop.store, "sale-1")
    sync = shop.sync()
    sync.start()
    assert shop.line.entered.wait(60)
    shop.line.trouble = None
    sync.hasten()
    shop.settled.until(lambda page: bool(page[1]))
    assert sync.status.reachable


def test_full_disk_loses_no_answer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When marks cannot be written the answer is dropped and asked for again once there is room."""
    real, full = Store.mark, True

    def mark(store: Store, *told: Any) -> None:
        if full:
            raise NotRecorded("the disk is full")
        real(store, *told)

    monkeypatch.setattr(Store, "mark", mark)
    entry = sell(shop.store, "sale-1")
    sync = shop.sync()
    sync.start()
    shop.reports.until(lambda report: "disk is full" in report.detail)
    assert shop.state_of(entry.id) is State.QUEUED
    full = False
    sync.hasten()
    shop.settled.until(lambda page: bool(page[1]))
    assert (shop.state_of(entry.id), shop.points()) == (State.POSTED, 5)


def test_stop_lets_the_request_in_flight_end(shop: Shop) -> None:
    """A stop during a request waits for it; stopping twice, or before the start, is fine."""
    shop.sync().stop()
    shop.line.open.clear()
    sync = shop.sync()
    sync.start()
    assert shop.line.entered.wait(60)
    stopper = threading.Thread(target=sync.stop)
    stopper.start()
    shop.line.open.set()
    stopper.join(60)
    assert not stopper.is_alive()
    sync.stop()


def test_a_stop_is_heard_that_comes_before_the_thread_clears_its_wake_up(shop: Shop) -> None:
    """It would be slept over, and the end of the till would wait for it in vain."""
    sync = shop.sync()
    wake = sync._wake = Swallowed(sync.stop, lambda: sync.status.next_attempt is not None)
    sync.start()
    shop.reports.until(lambda report: report.reachable and report.next_attempt is not None)
    sync.nudge()
    assert wake.told.wait(60)
    sync._thread.join(30)
    assert not sync._thread.is_alive()
    wake.stopper.join(60)


def test_outage_that_is_over_elsewhere_ends_the_wait(shop: Shop) -> None:
    """The answer to a customer's question brings sync back within the length of the outage."""
    shop.line.trouble = TransientLedgerError("HTTP 500")
    sync = shop.sync()
    sync.start()
    shop.reports.until(lambda report: "HTTP 500" in report.detail)
    shop.line.trouble = None
    sync.heard_elsewhere()
    shop.reports.until(lambda report: report.reachable)


def courier(shop: Shop) -> Courier:
    return Courier(shop.store, shop.store.reader(), shop.line, TIMEPIECE, IDENTITY, lambda *_: None)


def test_backoff_outlives_the_daemon(shop: Shop) -> None:
    """A daemon that crashes and restarts does not ask more often than one that stays."""
    shop.line.trouble = TransientLedgerError("HTTP 503", retry_after_s=600.0)
    first = courier(shop)
    first.step()
    second = courier(shop)
    assert second.state.backoff == first.state.backoff
    assert second.state.backoff.next_attempt_ms >= TIMEPIECE.boottime_ms() + 500_000
    for made in (first, second):
        made._journal.close()


def test_a_pause_of_before_is_told(shop: Shop) -> None:
    """A technician who has mended the line sees when it will be tried, and how it is tried now."""
    shop.line.trouble = TransientLedgerError("HTTP 503", retry_after_s=600.0)
    before = courier(shop)
    before.step()
    before._journal.close()
    shop.line.trouble = None
    sync = shop.sync()
    sync.start()
    told = shop.reports.until(lambda report: report.next_attempt is not None)
    assert "tilld sync" in told.detail
    assert not told.reachable
    sync.hasten()
    assert shop.reports.until(lambda report: report.reachable).detail == FINE


def test_backoff_of_another_version_is_no_obstacle(shop: Shop) -> None:
    """What a later version remembered and this one cannot read is a fresh start."""
    shop.store.remember("sync.backoff", "{not json")
    made = courier(shop)
    assert made.state.backoff.failures == 0
    made._journal.close()


def test_words_for_people() -> None:
    """Every trouble tells what happened, what it means for the points, and what to do."""
    assert in_words("the line is dead.", None) == (
        "The line is dead. Sales go on; their points wait in this till's journal and are sent when the ledger is back."
    )
    assert "tilld sync" in in_words("not enrolled", "terminal_unknown")
