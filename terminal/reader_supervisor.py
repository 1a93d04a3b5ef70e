"""One configured reader: its process, watched, revived, and shown to the till as a state with a remedy.

The thread here only carries: what is said goes to terminal/reader_life.py, what follows to the inbox. A reader
that dies, hangs or floods is that reader's visible state, never the till's.
"""

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from drivers.base import CardRead, CardUnreadable, Condition
from drivers.worker import Assignment, Heartbeat
from offline_queue.timepiece import Timepiece, rfc3339
from terminal import reader_life
from terminal.inbox import CardFailed, CardPresented, Event, ReaderChanged, ReaderStatus
from terminal.reader_child import ChildEnded, ReaderChild
from terminal.reader_life import Allowed, Cause, Ending, Limits

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
        limits: Limits = PATIENT,
    ) -> None:
        self._name, self._driver, self._options = name, driver, options
        self._folder = os.fspath(state_folder / "readers")
        self._post = post
        self._timepiece = timepiece
        self._limits = limits
        self._life = reader_life.born(name, driver, self._now())
        self._shown: ReaderStatus | None = None
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=f"reader {name}", daemon=True)

    @property
    def status(self) -> ReaderStatus:
        """As of now, counters included; from any thread."""
        return self._life.status

    def start(self) -> None:
        """Returns at once; the first event says that the reader is being opened."""
        self._show()
        self._thread.start()

    def stop(self) -> None:
        """Ends the process and the thread; the last event says so. Once, after start()."""
        os.eventfd_write(self._stop, 1)
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopped_within(reader_life.pause_s(self._life.failures, self._limits)):
            began = time.monotonic()
            ending = self._live()
            if ending.cause is Cause.DISMISSED:
                break
            self._ended(ending, time.monotonic() - began)
        self._ended(Ending(Cause.DISMISSED), 0.0)
        os.close(self._stop)

    def _ended(self, ending: Ending, lasted_s: float) -> None:
        self._life = reader_life.ended(self._life, ending, lasted_s, self._now(), self._limits)
        self._show()

    def _live(self) -> Ending:
        """One process from start to end."""
        reopened = self._life.status.counters.restarts > 0
        try:
            child = ReaderChild(self._driver, self._name, Assignment(self._folder, self._options, reopened))
        except OSError as error:
            return Ending(Cause.NOT_STARTED, detail=str(error))
        self._life = reader_life.started(self._life, child.pid)
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
        while (message := child.next(self._stop, self._limits.silence_s)) is not None:
            if isinstance(message, Heartbeat):
                continue
            allowed = allowed.less_one(time.monotonic(), self._limits)
            if allowed.left < 0:
                raise ChildEnded(Ending(Cause.FLOODED))
            self._pass_on(message)

    def _pass_on(self, message: CardRead | CardUnreadable | Condition) -> None:
        match message:
            case Condition():
                self._life = reader_life.told(self._life, message, self._now())
            case CardRead():
                self._life = reader_life.counted(self._life, message)
                self._post(CardPresented(self._name, message))
            case CardUnreadable():
                self._life = reader_life.counted(self._life, message)
                self._post(CardFailed(self._name, message))
        self._show()

    def _show(self) -> None:
        """The till hears of every change, the log of what a technician wants to know."""
        status, shown = self._life.status, self._shown
        if status == shown:
            return
        self._shown = status
        if shown is None or (status.status, status.detail) != (shown.status, shown.detail):
            _log.info("reader %s: %s, %s", status.name, status.status, status.detail)
        self._post(ReaderChanged(status))

    def _stopped_within(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._stop], [], [], seconds)
        return bool(ready)

    def _now(self) -> str:
        return rfc3339(self._timepiece.unix_ms())
