"""The journal: every entry of this till, durable before anybody hears of it.

One writer, many readers (JournalReader). Whoever appends waits for the disk; many who append at once share one
wait. PROTOCOL: streams and their chains (section 3), the store (section 4).
"""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from offline_queue import journal_marks, journal_rights, lanes
from offline_queue.entry import Entry, Lane, Undecodable
from offline_queue.finder import Finder
from offline_queue.group import GroupCommit
from offline_queue.jobs import Act, Append, Submit
from offline_queue.journal import (
    Allowance,
    Appended,
    Found,
    JournalUnusable,
    KeyReused,
    NotRecorded,
    Origin,
    RightsRefused,
    Totals,
    Verification,
)
from offline_queue.journal_reader import JournalReader
from offline_queue.opening import Synchronous, damaged, open_to_write, reserve_log, unusable
from offline_queue.ownership import refuse_heritage
from offline_queue.receipts import Receipt
from offline_queue.room import Ballast, Space, space
from offline_queue.seen import Seen
from offline_queue.timepiece import Timepiece
from offline_queue.trimming import Boot, Trimmer
from offline_queue.wire import Marks
from offline_queue.wire_feeds import Verdict
from offline_queue.writer import LOG_BYTES, Writer

__all__ = [
    "Allowance",
    "Appended",
    "Found",
    "JournalReader",
    "JournalUnusable",
    "KeyReused",
    "NotRecorded",
    "Origin",
    "RightsRefused",
    "Store",
    "Totals",
    "Verification",
]

NO_RECEIPTS: Final[Mapping[str, Receipt]] = {}

log = logging.getLogger(__name__)


class Store:
    """Every method may be called from any thread; those that change something return when it is durable.

    They raise NotRecorded when the disk does not take it; the store itself goes on. `synchronous` is SQLite's own
    number for the connection that writes: 2 is FULL.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, origin: Origin, timepiece: Timepiece) -> None:
        self._path = path
        self._origin = origin
        self._timepiece = timepiece
        self._seen = Seen()
        self._trimmer = Trimmer()
        finder = Finder(connection, self._seen)
        (self.synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        begun = lanes.begin(connection, origin, timepiece)
        self._streams = [uid for uid, _ in begun]
        reserve_log(path, LOG_BYTES)
        ballast = Ballast(path)
        self._commits = GroupCommit(connection, [head for _, head in begun], self._seen, finder, ballast)
        self._writer = Writer(connection, self._commits, finder, ballast)
        self._writer.start()

    @classmethod
    def open(cls, path: Path, *, origin: Origin, timepiece: Timepiece, synchronous: Synchronous = "full") -> "Store":
        """Makes or migrates the journal and begins its streams. Raises JournalUnusable.

        `synchronous` below "full" loses acknowledged entries when the power fails; it is there for the test
        that shows it.
        """
        connection = open_to_write(path, synchronous)
        try:
            refuse_heritage(path, connection, origin.terminal)
            return cls(path, connection, origin, timepiece)
        except JournalUnusable:
            connection.close()
            raise
        except sqlite3.Error as error:
            connection.close()
            raise unusable(path, error) from error
        except Undecodable as error:
            connection.close()
            raise damaged(path, f"one of its newest records cannot be read: {error}") from error

    @property
    def failure(self) -> Exception | None:
        """Why the writer has stopped by itself: the till must stop too. None while all is well."""
        return self._writer.failure

    def space(self) -> Space:
        """What the journal takes of its disk and what is left for it. Raises OSError."""
        return space(self._path)

    def stream(self, lane: Lane) -> str:
        """The uid of the stream that entries of this lane go to."""
        return self._streams[lanes.ORDER.index(lane)]

    def append(self, entry: Entry, reply: bytes, digest: bytes) -> Appended:
        """Returns when the entry is durable. `digest` tells whether a repeated key repeats the same request.

        Raises KeyReused, RightsRefused, NotRecorded; ValueError for what no entry can be.
        """
        job = Append(entry, reply, digest, self._streams)
        self._writer.put(job)
        return job.wait()

    def submit(self, entry: Entry, reply: bytes, digest: bytes) -> "Future[Appended]":
        """The same without the wait; callbacks of the future run in the writer's thread and must be quick."""
        job = Submit(entry, reply, digest, self._streams)
        self._writer.put(job)
        return job.future

    def ask_allowance(self, allowance: Allowance) -> None:
        """A right is asked for: durable before it is sent. Asking again with the same id changes nothing."""
        self.submit_allowance(allowance).result()

    def submit_allowance(self, allowance: Allowance) -> "Future[None]":
        """The same without the wait; callbacks run in the writer's thread."""
        job = Act(lambda connection: journal_rights.ask(connection, allowance))
        self._writer.put(job)
        return job.future

    def answer_allowance(self, id: str, granted: bool, points: int | None = None) -> None:  # noqa: A002 - the port's word
        """An answer to what is not asked any more changes nothing. `points` where fewer were granted than asked for."""
        self._act(lambda connection: journal_rights.answer(connection, id, granted, points))

    def mark(self, marks: Mapping[str, Marks], generation: str, receipts: Mapping[str, Receipt] = NO_RECEIPTS) -> None:
        """The ledger's custody of each stream, with its receipts. It goes down only in a new generation; stable never
        does."""
        self._act(lambda connection: journal_marks.mark(connection, marks, generation, receipts))

    def settle(self, verdicts: Sequence[Verdict], cursor: int, generation: str) -> None:
        """A page of decisions and the cursor behind it, in one transaction."""
        self._act(lambda connection: journal_marks.settle(connection, verdicts, cursor, generation))

    def remember(self, name: str, value: str) -> None:
        """A small fact that survives restarts."""
        self._act(lambda connection: journal_marks.remember(connection, name, value))

    def trim(self, before: str, boot: Boot | None = None) -> int:
        """Gives up a few records older than `before` (RFC 3339) that nobody can ask for again; how many.

        Those that are young in `boot` stay: a till may begin its day in 1970, before somebody tells it the time.

        There may be more as long as it is not 0.
        """
        counts = list[int]()
        self._act(lambda connection: counts.append(self._trimmer.step(connection, before, boot)))
        return counts[-1]

    def reader(self) -> JournalReader:
        """A connection of its own, to be closed by the caller."""
        return JournalReader.open(self._path, self._seen)

    def seal(self) -> None:
        """Ends both streams in order; from now on nothing can be appended."""
        if not self._commits.sealed:
            self._act(self._seal)

    def close(self) -> None:
        """Seals, finishes what was asked before, and leaves no log to replay."""
        try:
            self.seal()
        except NotRecorded as error:
            log.warning("the streams end without a seal, as after a power cut: %s", error)
        finally:
            self._writer.stop()

    def _seal(self, connection: sqlite3.Connection) -> None:
        lanes.seal(connection, self._origin, self._timepiece)
        self._commits.sealed = True

    def _act(self, run: Callable[[sqlite3.Connection], None]) -> None:
        job = Act(run)
        self._writer.put(job)
        job.future.result()
