"""One configured reader: its process, watched, revived, and shown to the till as a state with a remedy.

The thread here only carries: what is said goes to terminal/readers/life.py, what follows to the inbox. A reader
that dies, hangs or floods is that reader's visible state, never the till's.
"""

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from drivers.base import CardRead, CardUnreadable, Condition, NoteWish, NoteWritten, ReaderState
from drivers.worker import LOOK, Assignment, Heartbeat
from offline_queue.timepiece import Timepiece, rfc3339
from terminal.inbox import CardFailed, CardPresented, Event, NoteTold, ReaderChanged, ReaderStatus
from terminal.readers import life as reader_life
from terminal.readers.child import ChildEnded, ReaderChild
from terminal.readers.life import Allowed, Cause, Ending, Limits
from terminal.readers.tally import Tally

PATIENT: Final = Limits()
STOP_S: Final = 5.0
"""More than a supervisor ever needs to end, unless the inbox is full and nobody takes from it."""

_log = logging.getLogger(__name__)


class ReaderSupervisor:
    """`post` may wait for room in the inbox: a reader is never listened to faster than the till takes."""

    def __init__(
        self,
        name: str,
        driver: str,
        options: dict[str, Any],
        post: Callable[[Event], None],
        state_folder: Path,
        timepiece: Timepiece,
        tally: Tally,
        limits: Limits = PATIENT,
        *,
        notes: bool = False,
    ) -> None:
        self._name, self._driver, self._options = name, driver, options
        self._folder = os.fspath(state_folder / "readers")
        self._post = post
        self._timepiece, self._tally = timepiece, tally
        self._limits, self._notes = limits, notes
        self._child: ReaderChild | None = None
        self._life = reader_life.born(name, driver, self._now())
        self._shown: ReaderStatus | None = None
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._heard_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"reader {name}", daemon=True)

    @property
    def status(self) -> ReaderStatus:
        """As of now, counters included; from any thread."""
        return replace(self._life.status, counters=self._tally.counters)

    def start(self) -> None:
        """Returns at once; the first event says that the reader is being opened."""
        self._show()
        self._thread.start()

    def stop(self) -> None:
        """Ends the process and the thread; the last event says so. Once, after start()."""
        os.eventfd_write(self._stop, 1)
        self._thread.join(STOP_S)
        self._tally.save()

    def look_now(self) -> None:
        """A device has come: a reader that is absent is tried at once. From any thread, before stop()."""
        os.eventfd_write(self._news, 1)
        if (child := self._child) is not None:
            child.order(LOOK)

    def write_note(self, wish: NoteWish) -> None:
        """NoteTold follows, unless the process ends first. From any thread."""
        if (child := self._child) is not None:
            child.order(wish)

    def _run(self) -> None:
        while not self._paused(reader_life.pause_s(self._life.failures, self._limits)):
            began = time.monotonic()
            ending = self._live()
            if ending.cause is Cause.DISMISSED:
                break
            self._ended(ending, time.monotonic() - began)
        self._ended(Ending(Cause.DISMISSED), 0.0)
        os.close(self._stop)
        os.close(self._news)

    def _ended(self, ending: Ending, lasted_s: float) -> None:
        if ending.cause is not Cause.DISMISSED:
            self._tally.add(restarts=1)
        self._life = reader_life.ended(self._life, ending, lasted_s, self._now(), self._limits)
        self._show()

    def _live(self) -> Ending:
        """One process from start to end."""
        assignment = Assignment(self._folder, self._options, self._life.reopened, self._notes)
        try:
            child = ReaderChild(self._driver, self._name, assignment)
        except OSError as error:
            return Ending(Cause.NOT_STARTED, detail=str(error))
        self._life, self._child = reader_life.started(self._life, child.pid), child
        try:
            self._listen(child)
        except ChildEnded as end:
            child.free()
            return end.ending
        child.dismiss(self._limits.dismissal_s)
        return Ending(Cause.DISMISSED)

    def _listen(self, child: ReaderChild) -> None:
        """Until stop(). Raises ChildEnded."""
        allowed = Allowed(self._limits.burst, time.monotonic())
        self._heard_at = time.monotonic()
        patience_s = self._limits.opening_s
        while (message := child.next(self._stop, patience_s)) is not None:
            patience_s = self._limits.silence_s
            self._alive()
            allowed = allowed.less_one(time.monotonic(), self._limits)  # signs of life too: each costs the till time
            if allowed.left < 0:
                raise ChildEnded(Ending(Cause.FLOODED))
            if not isinstance(message, Heartbeat):
                self._pass_on(message)

    def _alive(self) -> None:
        """A sign of life: the time since the last one counts where the reader was ready."""
        now, before = time.monotonic(), self._heard_at
        if self._life.status.status is ReaderState.READY:
            self._tally.add(hours=(now - before) / 3600)
        self._heard_at = now
        self._tally.keep(now)

    def _pass_on(self, message: CardRead | CardUnreadable | Condition | NoteWritten) -> None:
        match message:
            case NoteWritten():
                self._post(NoteTold(self._name, message))
            case Condition():
                self._life = reader_life.told(self._life, message, self._now())
            case CardRead():
                self._tally.add(**{reader_life.counter_of(message): 1})
                self._post(CardPresented(self._name, message, self._timepiece.boottime_ms()))
            case CardUnreadable():
                self._tally.add(**{reader_life.counter_of(message): 1})
                self._post(CardFailed(self._name, message, self._timepiece.boottime_ms()))
        self._show()

    def _show(self) -> None:
        """The till hears of every change, the log of what a technician wants to know."""
        status, shown = self.status, self._shown
        if status == shown:
            return
        self._shown = status
        if shown is None or (status.status, status.detail) != (shown.status, shown.detail):
            _log.info("reader %s: %s, %s", status.name, status.status, status.detail)
        self._post(ReaderChanged(status))

    def _paused(self, seconds: float) -> bool:
        """Waits so long, less when a device comes that may be this reader; whether it was stopped meanwhile."""
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self._stop, self._news], [], [], max(0.0, end - time.monotonic()))
            if not ready or self._stop in ready:
                return bool(ready)
            os.eventfd_read(self._news)
            if self._life.status.status in reader_life.NEWS_MENDS:
                return False

    def _now(self) -> str:
        return rfc3339(self._timepiece.unix_ms())
