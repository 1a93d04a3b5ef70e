"""What differs from a till in a shop: no threads, no wait for disks, and processes that end where the schedule says.

Everything that decides or remembers is the product's own; only its loops are turned by hand here.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any, Final

import pytest

import offline_queue.room
import offline_queue.store
from offline_queue.courier import Courier
from offline_queue.inquiries import Inquiries
from offline_queue.jobs import Job
from offline_queue.journal import NotRecorded
from offline_queue.ledger_answers import LedgerError
from offline_queue.steps import Rest
from offline_queue.sync import Sync
from offline_queue.writer import Writer

TEND_AT: Final = 3
"""Entries after which the journal is indexed, so that old ones can be given up within a schedule."""


class Killed(BaseException):
    """The process ends here without a word. Nothing in the product catches it."""


class Fate(Enum):
    """What becomes of the next commit of a journal."""

    FINE = auto()
    REFUSED = auto()
    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()


class InlineWriter(Writer):
    """The journal's writer without its thread: each job is a group of its own, done when `put` returns."""

    fate = Fate.FINE

    def start(self) -> None:
        self._bound()
        self._tend_at = TEND_AT

    def put(self, job: Job) -> None:
        fate, self.fate = self.fate, Fate.FINE
        if fate is Fate.KILLED_BEFORE:
            raise Killed
        if fate is Fate.REFUSED:
            job.error = NotRecorded("the journal could not be written (the schedule says so)")
            job.finish()
            return
        self._commits.commit([job])
        if fate is Fate.KILLED_AFTER:
            raise Killed
        job.finish()
        self._commits.note([job])
        if len(self._finder.tail) >= self._tend_at:
            self._tend()
            self._tend_at = len(self._finder.tail) + TEND_AT

    def stop(self) -> None:
        self._checkpoint("TRUNCATE")
        self._commits.close()


class _Unwaited(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return True


class _NoThread:
    """In place of a thread that is turned by hand."""

    def start(self) -> None: ...

    def is_alive(self) -> bool:
        return False


class SteppedSync(Sync):
    """The sync thread's work, a turn at a time; `rests_until` (ms since boot) when the last one had nothing to say."""

    rests_until: int | None = None

    def begin(self) -> None:
        self._wake = _Unwaited()
        self.journal = self._store.reader()
        self.courier = Courier(
            self._store,
            self.journal,
            self._ledger,
            self._timepiece,
            self._identity,
            self._on_settled,
            self._hotlist,
            self._on_welcome,
        )

    def turn(self) -> None:
        self.rests_until = None
        self._advance(self.courier)

    def _rest(self, rest: Rest) -> None:
        self.rests_until = rest.until_ms
        super()._rest(rest)


class SteppedInquiries(Inquiries):
    """Questions to the ledger, asked and given up by hand. A defect of ours is not taken for a silent ledger."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._thread = _NoThread()  # type: ignore[assignment]

    def turn(self) -> None:
        now_ms = self._timepiece.boottime_ms()
        late, due = self._take_overdue(now_ms), self._take_due(now_ms)
        for question in due:
            self._put_to_ledger(question)
        for question in late:
            self._tell_silence(question)

    @property
    def waiting(self) -> bool:
        return bool(self._questions)

    def _retry(self, name: str) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, (LedgerError, NotRecorded)):
            raise AssertionError(f"the till stumbled over a question: {error!r}") from error
        super()._retry(name)


@contextmanager
def staged() -> Iterator[None]:
    """The stage for one schedule: journals written in their caller's thread, without room kept for bad days."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline_queue.store, "Writer", InlineWriter)
        patch.setattr(offline_queue.store, "LOG_BYTES", 0)
        patch.setattr(offline_queue.room.Ballast, "_fill", lambda ballast: ballast._path.touch())
        yield
