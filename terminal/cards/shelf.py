"""The database of what may be lost, and its place in memory once its disk is full.

What stands there is fetched again, so a disk without room costs no more than a fetch: the till's one thread goes on.
"""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from threading import RLock
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger("directory")


class Shelf:
    """`connection` is the file's, and from the first write that fails on that of a copy in memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = RLock()
        self._in_memory = False

    def write(self, work: Callable[[], T]) -> T:
        """`work` in one transaction; done again in memory where the file cannot take it. Raises sqlite3.Error."""
        with self.lock:
            try:
                return self._together(work)
            except sqlite3.OperationalError as error:
                if self._in_memory:
                    raise
                self._move(error)
                return self._together(work)

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def _together(self, work: Callable[[], T]) -> T:
        connection = self.connection
        connection.execute("BEGIN")
        try:
            done = work()
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return done

    def _move(self, why: sqlite3.Error) -> None:
        log.warning(
            "what is known of cards cannot be written (%s): it is kept in memory until the till is started again", why
        )
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with closing(self.connection) as file:
            file.backup(memory)
        self.connection, self._in_memory = memory, True
