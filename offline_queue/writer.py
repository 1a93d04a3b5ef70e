"""The one thread that writes the journal, and its only checkpointer.

SQLite up to 3.51.2 can corrupt a write-ahead log when a second connection resets it while one writes, and
two writers would wait for each other anyway: so all callers hand their work to this thread.
"""

import logging
import queue
import sqlite3
import threading
import time
from typing import Final

from offline_queue.finder import RUN, Finder
from offline_queue.group import GroupCommit, not_recorded
from offline_queue.jobs import Job
from offline_queue.journal import NotRecorded
from offline_queue.opening import PAGE_SIZE
from offline_queue.room import Ballast

MAX_GROUP: Final = 128
"""Rows in one statement; also the longest that a caller waits for others' rows, about a millisecond."""
LINGER_S: Final = 0.0003
"""Callers that were just released come back within this, and are worth waiting for: one sync serves them all."""
RUNS_PER_CHECKPOINT: Final = 2
"""Often enough to keep the log small, seldom enough that its syncs cost little."""
LOG_BYTES: Final = 3 * 1024 * 1024
"""What the log takes between two checkpoints, with every append a commit of its own: one page or two each."""

log = logging.getLogger(__name__)


class Writer:
    """Takes jobs from any thread, in order; `failure` says why it has stopped by itself, None while all is well."""

    def __init__(self, connection: sqlite3.Connection, commits: GroupCommit, finder: Finder, ballast: Ballast) -> None:
        self._connection = connection
        self._commits = commits
        self._finder = finder
        self._ballast = ballast
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._tend_at = RUN
        self._runs = 0
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> None:
        """The job will be finished, come what may."""
        self._jobs.put(job)
        if self._closed:
            self._refuse_rest()

    def stop(self) -> None:
        """Finishes what was put before, then closes the connection."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            self._closed = True
            self._refuse_rest()
            self._commits.close()

    def _serve(self) -> None:
        self._bound()
        released = 1
        while group := self._gather(released):
            try:
                self._commits.commit(group)
            except Exception as error:
                # A mistake of ours: whoever waits must still hear, and the daemon must stop rather than go on half.
                self.failure = error
                log.critical("the journal's writer has failed", exc_info=error)
                self._give_up(group, error)
                return
            for job in group:
                job.finish()
            released = len(group)
            self._commits.note(group)
            if len(self._finder.tail) >= self._tend_at:
                self._tend()
        self._checkpoint("TRUNCATE")

    def _gather(self, released: int) -> list[Job]:
        """The next group; empty when it is time to stop. Several who were just released are waited for a moment."""
        jobs = self._jobs
        first = jobs.get()
        if first is None:
            return []
        group = [first]
        deadline = time.monotonic() + LINGER_S if released > 1 else 0.0
        while len(group) < MAX_GROUP and (len(group) < released or not jobs.empty()):
            try:
                job = jobs.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if job is None:
                jobs.put(None)
                break
            group.append(job)
        return group

    def _tend(self) -> None:
        """Work that no caller waits for: the tail becomes a run, the log's pages go to the file."""
        try:
            self._finder.index()
            self._tend_at = RUN
        except sqlite3.Error as error:
            log.warning("the journal's index waits: %s", error)
            self._tend_at = len(self._finder.tail) + RUN
        self._runs += 1
        if self._runs % RUNS_PER_CHECKPOINT == 0:
            self._bound()
            self._checkpoint("PASSIVE")

    def _bound(self) -> None:
        """A journal that would outgrow its disk is refused by SQLite before a byte is written."""
        try:
            self._connection.execute(f"PRAGMA max_page_count = {self._ballast.pages(PAGE_SIZE)}").fetchone()
        except (OSError, sqlite3.Error) as error:
            log.warning("the journal's size has no bound: %s", error)

    def _checkpoint(self, mode: str) -> None:
        try:
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            log.warning("the journal's log was not taken over: %s", error)

    def _give_up(self, group: list[Job], error: Exception) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for job in group:
            job.error = not_recorded(error)
            job.finish()

    def _refuse_rest(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                job.error = NotRecorded("the journal is closed: the till is shutting down")
                job.finish()
