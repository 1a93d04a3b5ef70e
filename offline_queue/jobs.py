"""What callers hand to the writer, and how they learn what became of it."""

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Any
from zlib import crc32

from offline_queue.entry import MAX_ENTRY_BYTES, Entry, encode
from offline_queue.finder import SEQ_MASK
from offline_queue.journal import Appended
from offline_queue.lanes import LANE_NUMBER, guarded


class Append:
    """One entry to be made durable. Everything that needs no order is done here, in the caller's thread.

    The writer sets `place` when the entry is new, `replay` when its key was known, or `error`.
    """

    __slots__ = (
        "_done",
        "claims",
        "digest",
        "entry",
        "error",
        "guarded",
        "lane",
        "place",
        "record",
        "replay",
        "reply",
        "streams",
        "word",
    )

    def __init__(self, entry: Entry, reply: bytes, digest: bytes, streams: Sequence[str]) -> None:
        """`streams` are the uids in the order of the lanes. Raises ValueError for what can never be appended."""
        lane = LANE_NUMBER.get(entry.kind)
        if lane is None:
            raise ValueError(f"only the journal itself writes {entry.kind} records")
        self.record = record = encode(entry)
        if len(record) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(record)} bytes; at most {MAX_ENTRY_BYTES} travel to the ledger")
        self.entry = entry
        self.reply = reply
        self.digest = digest
        self.guarded = guarded(digest, reply)
        self.lane = lane
        self.streams = streams
        self.word = crc32(entry.key.encode())
        claims = entry.reverses is not None or entry.allowance is not None
        self.claims = claims or entry.correction is not None
        self.place = 0
        self.replay: Appended | None = None
        self.error: Exception | None = None
        self._done = done = Lock()
        done.acquire()

    def finish(self) -> None:
        """Called once, by the writer's thread."""
        self._done.release()

    def wait(self) -> Appended:
        """Raises `error`."""
        self._done.acquire()
        return self.outcome()

    def outcome(self) -> Appended:
        """Raises `error`."""
        if self.error is not None:
            raise self.error
        return self.replay or Appended(self.streams[self.lane], self.place & SEQ_MASK, self.reply, replayed=False)


class Submit(Append):
    """An append whose outcome goes into a future."""

    __slots__ = ("future",)

    def __init__(self, entry: Entry, reply: bytes, digest: bytes, streams: Sequence[str]) -> None:
        super().__init__(entry, reply, digest, streams)
        self.future: Future[Appended] = Future()
        self.future.set_running_or_notify_cancel()

    def finish(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome())


class Act:
    """Any other change: `run` is called with the connection, inside a transaction."""

    __slots__ = ("error", "future", "run")
    claims = True

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
