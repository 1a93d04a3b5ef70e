"""Keeps the last days: overhears what watchers are told, looks at the journal now and then, writes a line at times.

It has a thread of its own and a reader of its own at the journal. The till's thread pays for one lock and one count.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from offline_queue.entry import State
from offline_queue.journal import Totals
from offline_queue.timepiece import Timepiece
from terminal.history.buckets import Bucket, Reads, Waits, added, put, start_of, window
from terminal.history.file import HistoryFile
from terminal.history.shapes import History, history
from terminal.history.waiting import Latencies, Waiting
from terminal.inbox import Counters

LOOK_S: Final = 10.0
"""How often the queue is looked at; the API's own events tell its peaks between."""
STOP_S: Final = 5.0

_log = logging.getLogger(__name__)
Publish = Callable[[str, object], None]


class Tallied(Protocol):
    """What a reader has done in its life."""

    @property
    def counters(self) -> Counters: ...


class Recorder:
    """`view` and `latencies` may be asked from any thread. `totals` is of a reader that nobody else uses."""

    def __init__(
        self, path: Path, totals: Callable[[], Totals], tallies: Mapping[str, Tallied], timepiece: Timepiece
    ) -> None:
        self._file = HistoryFile(path)
        self._totals, self._tallies, self._timepiece = totals, tallies, timepiece
        self._counted = {name: tally.counters for name, tally in tallies.items()}
        self._kept = self._file.load()
        self._lock = threading.Lock()
        self._waiting = Waiting()
        self._now = Bucket(start_of(timepiece.unix_ms() / 1000))
        self.latencies = Latencies()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What was counted so far is written."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def overhearing(self, publish: Publish) -> Publish:
        """The same, with the recorder listening."""

        def both(kind: str, data: object) -> None:
            publish(kind, data)
            try:
                self.hear(kind, data)
            except Exception:  # noqa: BLE001
                # The till's thread tells, and would end by it: a defect in a chart must not stop sales.
                _log.exception("the last days could not take up a %s", kind)

        return both

    def hear(self, kind: str, data: Any) -> None:
        """A record that is durable now, or how the ledger stands; everything else is passed over."""
        if kind == "transaction" and data["state"] is State.QUEUED:
            with self._lock:
                self._waiting.recorded(self._timepiece.boottime_ms())
        elif kind == "sync":
            self._queue_is(data["queue"]["queued"])

    def view(self, hours: int, step_s: int) -> History:
        """The last `hours` in stretches of `step_s`, a multiple of STEP_S."""
        now_s = self._timepiece.unix_ms() / 1000
        with self._lock:
            buckets = [*self._kept.values(), self._now]
        return history(window(buckets, now_s, hours * 3600, step_s), now_s, hours, step_s)

    def look(self) -> None:
        """Takes up what has been counted, and writes a line when a bucket has ended."""
        self._look_at_queue()
        start = start_of(self._timepiece.unix_ms() / 1000)
        with self._lock:
            self._now = added(self._now, Bucket(0, readers=self._new_reads()))
            ended = self._now
            if ended.start == start:
                return
            put(self._kept, ended)
            self._now = Bucket(start)
        self._file.append(ended, self._kept)

    def _look_at_queue(self) -> None:
        """A damaged journal is told of elsewhere; here it is only a hole in a chart."""
        try:
            self._queue_is(self._totals().queued)
        except (sqlite3.Error, msgspec.DecodeError) as error:
            _log.info("the queue could not be looked at: %s", error)

    def _queue_is(self, queued: int) -> None:
        with self._lock:
            taken = self._waiting.left(queued, self._timepiece.boottime_ms())
            waits = [Waits(one.count, one.count * one.wait_ms, one.wait_ms) for one in taken]
            self._now = added(self._now, Bucket(0, queue=queued, waits=sum(waits, Waits())))
            self.latencies = self.latencies.plus(taken)

    def _new_reads(self) -> dict[str, Reads]:
        found = {}
        for name, tally in self._tallies.items():
            before, now = self._counted[name], tally.counters
            self._counted[name] = now
            new = (now.good - before.good, now.failed - before.failed, now.unreadable - before.unreadable)
            if any(new):
                found[name] = Reads(*new)
        return found

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.look()
        self.look()
        with self._lock:
            ended, self._now = self._now, Bucket(self._now.start)
            put(self._kept, ended)
        self._file.append(ended, self._kept)
