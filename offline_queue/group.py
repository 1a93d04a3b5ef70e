"""A group of jobs becomes durable in one commit, or none of it does.

A member that is refused does not fail its group: each has a savepoint of its own where there is any doubt.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Final

from offline_queue.entry import Entry
from offline_queue.finder import SEQ_MASK, Finder, find
from offline_queue.jobs import Act, Append, Job
from offline_queue.journal import Appended, KeyReused, NotRecorded, RightsRefused
from offline_queue.journal_rights import use_rights
from offline_queue.lanes import Head, grown, insertion, row, unguarded
from offline_queue.room import Ballast
from offline_queue.seen import Seen

# The fault of one member: a value that no row can hold.
_MEMBERS_FAULT: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)

_COUNT_FAILURE: Final = """
    INSERT INTO fact VALUES ('journal.failed_commits', '1') ON CONFLICT (name) DO UPDATE SET value = value + 1
"""


class GroupCommit:
    """Owns the connection that writes and the ends of the open streams. For one thread."""

    def __init__(
        self, connection: sqlite3.Connection, heads: list[Head], seen: Seen, finder: Finder, ballast: Ballast
    ) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._execute: Callable[..., sqlite3.Cursor] = self._cursor.execute
        self._heads = heads
        self._seen = seen
        self._finder = finder
        self._ballast = ballast
        self.sealed = False

    def close(self) -> None:
        """Gives the file back: a cursor whose last statement failed would keep it open behind a closed connection."""
        self._cursor.close()
        self._connection.close()
        self._ballast.remove()

    def commit(self, group: Sequence[Job]) -> None:
        """Gives every member its outcome. Never raises for what a disk or a caller does."""
        try:
            if self.sealed or self._ballast.out or not self._commit_at_once(group):
                self._commit_one_by_one(group)
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR:
                self._bury()
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL and self._ballast.release():
                self._checkpoint()
            for job in group:
                job.error = job.error or not_recorded(error)

    def _bury(self) -> None:
        """A commit whose sync failed lies whole in the log, and a crash now would bring back what was refused.

        The next commit is written over it, so one follows at once, whether it can be synced or not. It must change
        something: SQLite writes no page that stays the same.
        """
        with suppress(sqlite3.Error):
            self._execute(_COUNT_FAILURE)

    def _checkpoint(self) -> None:
        """The log's pages go to the file while there is room for them, so that the log starts again from its front."""
        with suppress(sqlite3.Error):
            self._execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def note(self, group: Sequence[Job]) -> None:
        """Bookkeeping that nobody waits for: what was appended is now in the tail."""
        tail = self._finder.tail
        for job in group:
            if isinstance(job, Append) and job.place and job.error is None:
                tail.append((job.place, job.word, job.entry.id))

    def _commit_at_once(self, group: Sequence[Job]) -> bool:
        """New keys without claims, in one statement that is its own transaction; False where it is not as simple."""
        heads, values, words, seen = self._heads.copy(), list[int | bytes](), list[int](), self._seen
        for job in group:
            if isinstance(job, Act) or job.claims or job.word in seen:
                return False
            lane, record = job.lane, job.record
            place, digest = heads[lane]
            digest = sha256(digest + record).digest()
            job.place = place = place + 1
            heads[lane] = (place, digest)
            values += (place, record, digest, job.guarded, job.reply)
            words.append(job.word)
        if len(group) > 1 and len(set(words)) < len(group):
            return False
        try:
            self._execute(insertion(len(group)), values)
        except _MEMBERS_FAULT:
            return False
        self._take(heads, words)
        return True

    def _commit_one_by_one(self, group: Sequence[Job]) -> None:
        heads, words = self._heads.copy(), list[int]()
        self._execute("BEGIN IMMEDIATE")
        for job in group:
            self._execute("SAVEPOINT member")
            try:
                if isinstance(job, Act):
                    job.run(self._connection)
                else:
                    self._append(job, heads, words)
            except (KeyReused, RightsRefused, NotRecorded) as error:
                job.error = error
            except _MEMBERS_FAULT as error:
                job.error = not_recorded(error)
            if job.error is not None:
                self._execute("ROLLBACK TO member")
            self._execute("RELEASE member")
        self._execute("COMMIT")
        self._take(heads, words)

    def _append(self, job: Append, heads: list[Head], words: list[int]) -> None:
        job.place = 0
        if job.word in self._seen or job.word in words:
            known = find(self._connection, "key", job.entry.key)
            if known is not None:
                job.replay = self._replay(job, *known)
                return
        if self.sealed:
            raise NotRecorded("the journal is sealed: the till is shutting down")
        self._ballast.refuse_sales()
        use_rights(self._connection, job.entry)
        head = grown(heads[job.lane], job.record)
        self._execute(insertion(1), row(head, job.record, job.guarded, job.reply))
        heads[job.lane] = head
        words.append(job.word)
        job.place = head[0]

    def _replay(self, job: Append, place: int, first: Entry) -> Appended:
        digest, reply, uid = self._connection.execute(
            "SELECT digest, reply, uid FROM record JOIN stream ON no = place >> 40 WHERE place = ?", (place,)
        ).fetchone()
        if unguarded(digest) != job.digest:
            raise KeyReused(first.id)
        return Appended(uid, place & SEQ_MASK, reply, replayed=True)

    def _take(self, heads: list[Head], words: Collection[int]) -> None:
        self._heads = heads
        for word in words:
            self._seen.add(word)


def not_recorded(error: Exception) -> NotRecorded:
    """What a failed commit means to the one who waits for it."""
    return NotRecorded(
        f"the journal could not be written: {error}",
        "Nothing was recorded and no points moved. When the disk has room and works again the till goes on by itself:"
        " then repeat the sale.",
    )
