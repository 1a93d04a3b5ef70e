"""The thread that keeps the ledger up to date, and reports how that goes.

It never dies: whatever goes wrong is a state that people see, and sales go on into the journal meanwhile.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from offline_queue.courier import Courier, Exchange, OnSettled, OnWelcome
from offline_queue.journal import NotRecorded
from offline_queue.ledger_client import Ledger
from offline_queue.requests import Identity
from offline_queue.steps import Rest
from offline_queue.sync_memory import Hotlist
from offline_queue.sync_report import FINE, NOT_YET, STILL_WAITING, SyncReport, in_words
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.trimming import Boot

if TYPE_CHECKING:
    from offline_queue.store import Store

LONGEST_WAIT_S: Final = 60.0
"""A machine that slept wakes with its clock ahead of our wait; so look at the clock at least this often."""
STOP_S: Final = 15.0
"""A little more than a request may take."""
BRAKE_S: Final = 1.0
TOLD_EVERY_MS: Final = 1000
"""Of a long pass people hear once a second how far it is."""
BETWEEN_TRIMS_S: Final = 0.5
"""Old records go a few at a time: a till that has run for years takes hours for it, and no sale waits."""
DAY_MS: Final = 86_400_000

_log = logging.getLogger(__name__)

OnChange = Callable[[SyncReport], None]


class Sync:
    """Owns its thread between `start` and `stop`. Every other method may be called from any thread at any time.

    When there is nothing to say it gives up records older than `keep_days`, where that may be; with 0 it keeps them.
    All `on_` are called in the sync thread; `on_settled` after its decisions are durable.
    """

    def __init__(
        self,
        store: "Store",
        ledger: Ledger,
        timepiece: Timepiece,
        identity: Identity,
        on_change: OnChange,
        on_settled: OnSettled,
        hotlist: Hotlist | None = None,
        on_welcome: OnWelcome = lambda _: None,
        *,
        keep_days: int = 0,
    ) -> None:
        self._hotlist = hotlist
        self._store, self._ledger, self._timepiece, self._identity = store, ledger, timepiece, identity
        self._on_change, self._on_settled, self._on_welcome = on_change, on_settled, on_welcome
        self._keep_days = keep_days
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._pass_asked = threading.Event()
        self._ledger_heard = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._status = NOT_YET
        self._accepted = 0
        self._news = False
        self._told_ms = 0

    @property
    def status(self) -> SyncReport:
        """The last report."""
        return self._status

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Lets the request in flight end. Safe without `start`, and twice."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def nudge(self) -> None:
        """There are new records: they leave at once, unless the ledger is given time to recover."""
        self._wake.set()

    def hasten(self) -> None:
        """A person asks for a pass now, whatever the waits."""
        self._pass_asked.set()
        self._wake.set()

    def heard_elsewhere(self) -> None:
        """The ledger has answered another part of the till, so an outage may be over."""
        self._ledger_heard.set()
        self._wake.set()

    def _run(self) -> None:
        journal = self._store.reader()
        try:
            courier = Courier(
                self._store,
                journal,
                self._ledger,
                self._timepiece,
                self._identity,
                self._on_settled,
                self._hotlist,
                self._on_welcome,
            )
            while not self._stopping.is_set():
                self._turn(courier)
        finally:
            journal.close()

    def _turn(self, courier: Courier) -> None:
        # A fault of our own (a damaged journal, a bug) must not end the only road to the ledger while the till
        # goes on selling: it is shown, logged and tried again like any other trouble.
        try:
            self._advance(courier)
        except Exception as error:  # noqa: BLE001
            if self._stopping.is_set():
                return
            _log.exception("sync stumbled")
            courier.stumble()
            detail = in_words(f"tilld itself failed ({error!r})", None)
            self._status = msgspec.structs.replace(self._status, reachable=False, detail=detail)
            self._stopping.wait(BRAKE_S)

    def _advance(self, courier: Courier) -> None:
        self._wake.clear()
        if self._stopping.is_set():
            return  # the clearing may have swallowed the word of it
        if self._pass_asked.is_set():
            self._pass_asked.clear()
            courier.hasten()
        if self._ledger_heard.is_set():
            self._ledger_heard.clear()
            courier.heard_elsewhere()
        result = courier.step()
        if isinstance(result, Rest):
            self._rest(result)
        else:
            self._note(courier, result)

    def _rest(self, rest: Rest) -> None:
        if self._news:
            self._news = False
            self._publish(msgspec.structs.replace(self._status, next_attempt=self._wall(rest.until_ms)))
            self._accepted = 0
        elif self._status is NOT_YET:
            waiting = msgspec.structs.replace(NOT_YET, next_attempt=self._wall(rest.until_ms), detail=STILL_WAITING)
            self._publish(waiting)
        longest = BETWEEN_TRIMS_S if self._trim() else LONGEST_WAIT_S
        wait_s = (rest.until_ms - self._timepiece.boottime_ms()) / 1000
        self._wake.wait(min(max(wait_s, 0.0), longest))

    def _trim(self) -> bool:
        """A small step; whether there may be more to give up."""
        if not self._keep_days:
            return False
        before = rfc3339(self._timepiece.unix_ms() - self._keep_days * DAY_MS)
        boot = Boot(self._timepiece.boot_id, self._timepiece.boottime_ms() - self._keep_days * DAY_MS)
        try:
            return self._store.trim(before, boot) > 0
        except NotRecorded as error:
            _log.info("old records are kept for now: %s", error)
            return False

    def _note(self, courier: Courier, exchange: Exchange) -> None:
        """A change of fortune is published at once, progress now and then, the rest at the end of the pass."""
        before, trouble, now_ms = self._status, exchange.trouble, self._timepiece.boottime_ms()
        if not self._news:
            self._told_ms = now_ms
        self._accepted += exchange.accepted
        self._news = True
        self._status = SyncReport(
            reachable=exchange.reachable,
            last_success=before.last_success if trouble else rfc3339(self._timepiece.unix_ms()),
            next_attempt=self._wall(courier.state.backoff.next_attempt_ms) if trouble else None,
            detail=in_words(trouble, courier.state.alarm) if trouble else FINE,
            accepted=self._accepted,
            ledger_time=courier.ledger_time,
            orders=(*courier.state.orders, *courier.state.findings),
        )
        news = (exchange.reachable, self._status.detail) != (before.reachable, before.detail)
        if news:
            _log.log(logging.WARNING if trouble else logging.INFO, self._status.detail)
        for order in self._status.orders:
            if order not in before.orders:
                _log.warning("%s: %s", order.code, order.detail)
        overdue = exchange.accepted > 0 and now_ms - self._told_ms >= TOLD_EVERY_MS
        if news or overdue or self._status.orders != before.orders:
            self._told_ms = now_ms
            self._publish(self._status)

    def _publish(self, report: SyncReport) -> None:
        self._status = report
        self._on_change(report)

    def _wall(self, boottime_ms: int) -> str:
        return rfc3339(self._timepiece.unix_ms() + boottime_ms - self._timepiece.boottime_ms())
