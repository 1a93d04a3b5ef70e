"""What callers hand to the writer, and how they learn what became of it."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from offline_queue.entry import LANE_OF, MAX_ENTRY_BYTES, Entry, encode
from offline_queue.journal import Appended
from offline_queue.journal_rights import needs_rights
from offline_queue.seen import word_of


class Append:
    """One entry to be made durable. Everything that needs no order is done here, in the caller's thread."""

    __slots__ = ("_done", "digest", "entry", "error", "lane", "record", "reply", "result", "rights", "word")

    def __init__(self, entry: Entry, reply: bytes, digest: bytes) -> None:
        """Raises ValueError for what can never be appended."""
        if entry.kind not in LANE_OF:
            raise ValueError(f"only the journal itself writes {entry.kind} records")
        self.entry = entry
        self.reply = reply
        self.digest = digest
        self.lane = LANE_OF[entry.kind]
        self.record = encode(entry)
        if len(self.record) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(self.record)} bytes; at most {MAX_ENTRY_BYTES} travel to the ledger")
        self.word = word_of(entry.key)
        self.rights = needs_rights(entry)
        self.result: Appended | None = None
        self.error: Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def finish(self) -> None:
        """Called once, by the writer's thread, when `result` or `error` stands."""
        self._done.release()

    def wait(self) -> Appended:
        """Raises `error`."""
        self._done.acquire()
        if self.result is None:
            raise self.error or RuntimeError("the writer has left this append without an outcome")
        return self.result


class Submit(Append):
    """An append whose outcome goes into a future."""

    __slots__ = ("future",)

    def __init__(self, entry: Entry, reply: bytes, digest: bytes) -> None:
        super().__init__(entry, reply, digest)
        self.future: Future[Appended] = Future()
        self.future.set_running_or_notify_cancel()

    def finish(self) -> None:
        if self.result is None:
            self.future.set_exception(self.error or RuntimeError("no outcome"))
        else:
            self.future.set_result(self.result)


class Act:
    """Any other change: `run` is called with the connection, inside a transaction."""

    __slots__ = ("error", "future", "run")

    def __init__(self, run: Callable[[sqlite3.Connection], Any]) -> None:
        self.run = run
        self.error: Exception | None = None
        self.future: Future[None] = Future()
        self.future.set_running_or_notify_cancel()

    def finish(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(None)


Job = Append | Act
