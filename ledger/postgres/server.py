"""A PostgreSQL server that holds the books: connections, transactions, and what is done again after a collision."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ledger.port.problems import refused
from ledger.port.refusals import BooksUnusable, NotRecorded
from ledger.postgres.arrays import teach
from ledger.postgres.schema import NAMESPACE, VERSION, statements, upgrades
from ledger.postgres.source import PostgresSource
from ledger.postgres.tables import PostgresTables
from ledger.sheet.source import Source
from ledger.tables.engine import Tables

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

log = logging.getLogger("tilld.ledger")

CLERKS: Final = 4
"""Calls at once in one process; while one waits for the disk the others decide."""
ATTEMPTS: Final = 10
PAUSE_S: Final = 0.002
"""Mean pause before the second attempt; it doubles with each."""
AGAIN: Final = frozenset({"40001", "40P01", "23505"})
"""Collisions (PostgreSQL 15 manual, appendix A): serialization, deadlock, and a row that another has just made."""
MADE_MEANWHILE: Final = frozenset({"23505", "42P06", "42P07"})
MADE: Final = f"SELECT to_regclass('{NAMESPACE}.fact')::text"
PARTITIONS: Final = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'record'::regclass"
OWN_BACKUP: Final = (
    "PostgreSQL books are backed up by its own tools (pg_basebackup, WAL archiving): say `tilld ledger backup --begin`,"
    " make the backup, and when it is complete and kept, `tilld ledger backup --declare`"
)
NO_BOOKS: Final = "`tilld ledger` makes them; --database names others."
EXAMPLE: Final = "Give one like postgresql://user@host/database."
SESSION: Final = f"""
    SET search_path = {NAMESPACE};
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SET jit = off;
    SET enable_seqscan = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""Waits are bounded, an answer is never given before its commit is on the disk, and plans made while the books were
small do not become slow with them."""
WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresServer:
    """See tables.Engine. Any number of processes may work on the same books; a connection serves one call at a time."""

    clerks = CLERKS

    def __init__(self, url: str, *, make: bool, partitions: int = 0) -> None:
        """Makes the books where there are none, if `make` says so. Raises BooksUnusable."""
        self._url = url
        self._idle: LifoQueue[psycopg.Connection[Any]] = LifoQueue()
        self._open = True
        self._errors = _driver(url)
        try:
            self._look(make=make, partitions=partitions)
        except self._errors as error:
            raise BooksUnusable(
                "PostgreSQL",
                f"the books cannot be opened ({_said(error)})",
                "No points were changed.",
                "See that the server runs and lets this user create a schema in the database that the URL names.",
            ) from error

    def source(self, tables: Tables) -> Source:
        if not isinstance(tables, PostgresTables):
            raise TypeError(f"{tables!r} are not of this engine")
        return PostgresSource(tables)

    def write(self, work: Callable[[Tables], T]) -> T:
        return self._done(lambda connection, again: _written(connection, work, again=again))

    def read(self, work: Callable[[Tables], T]) -> T:
        return self._done(lambda connection, _: _looked(connection, work))

    def copy(self, path: Path) -> None:  # noqa: ARG002 - there is no one file
        """See tables.Engine."""
        raise refused("malformed", OWN_BACKUP)

    def close(self) -> None:
        """Calls in flight end as they would have. May be called twice."""
        self._open = False
        self._drop_idle()

    def _done(self, transaction: "Callable[[psycopg.Connection[Any], bool], T]") -> T:
        """Of the `transaction`, which is told whether it was tried before. Raises Refused, NotRecorded."""
        for attempt in range(ATTEMPTS):
            connection, fresh = self._connection()
            try:
                with self._lent(connection):
                    return transaction(connection, attempt > 0)
            except self._errors as error:
                lost = connection.closed and not fresh
                if not lost and error.sqlstate not in AGAIN:
                    raise _meant(error) from error
                log.info("attempt %d was in vain: %s", attempt + 1, _said(error))
                if lost:
                    self._drop_idle()
                else:
                    time.sleep(random.uniform(0, 2 * PAUSE_S * 2**attempt))
        raise NotRecorded(f"the books were too busy {ATTEMPTS} times in a row; no points were changed")

    def _connection(self) -> tuple["psycopg.Connection[Any]", bool]:
        """One that is idle, or a new one (True). Raises NotRecorded."""
        if not self._open:
            raise NotRecorded("the books are closed; no points were changed")
        with suppress(Empty):
            return self._idle.get_nowait(), False
        try:
            return self._connected(), True
        except self._errors as error:
            raise _meant(error) from error

    def _connected(self) -> "psycopg.Connection[Any]":
        import psycopg

        connection = psycopg.connect(self._url, autocommit=True, application_name="tilld ledger")
        teach(connection)
        with ExitStack() as of_no_use:
            of_no_use.callback(connection.close)
            connection.execute(SESSION)
            of_no_use.pop_all()
        return connection

    @contextmanager
    def _lent(self, connection: "psycopg.Connection[Any]") -> Iterator[None]:
        try:
            yield
        finally:
            if self._open and _is_at_rest(connection):
                self._idle.put(connection)
            else:
                connection.close()

    def _drop_idle(self) -> None:
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def _look(self, *, make: bool, partitions: int) -> None:
        """Raises BooksUnusable, driver errors."""
        with self._connected() as connection:
            unsafe = [name for name in ("fsync", "full_page_writes") if _shown(connection, f"SHOW {name}") != "on"]
            if unsafe:
                raise BooksUnusable(
                    "PostgreSQL",
                    f"this server runs with {' and '.join(unsafe)} off",
                    "A power cut would take points away that tills were told are safe.",
                    "Turn that on in postgresql.conf.",
                )
            if _shown(connection, MADE) is None:
                if not make:
                    raise BooksUnusable("PostgreSQL", "there are no books in this database", "", NO_BOOKS)
                self._make(connection, partitions)
            version = self._upgraded(connection)
        if version > VERSION:
            what = f"schema {version} is newer than this tilld's {VERSION}"
            raise BooksUnusable("PostgreSQL", what, "Nothing in it was touched.", "Update tilld.")

    def _upgraded(self, connection: "psycopg.Connection[Any]") -> int:
        """The schema's version, after it was brought to ours; another process may be at it too."""
        with connection.transaction():
            version = int(str(_shown(connection, "SELECT value FROM fact WHERE name = 'schema' FOR UPDATE")))
            if version < VERSION:
                partitions = int(str(_shown(connection, PARTITIONS)))
                for statement in upgrades(version, partitions):
                    connection.execute(statement.encode())
        return max(version, VERSION)

    def _make(self, connection: "psycopg.Connection[Any]", partitions: int) -> None:
        """Whoever is first makes them; the others find them."""
        try:
            with connection.transaction():
                for statement in statements(partitions):
                    connection.execute(statement.encode())
        except self._errors as error:
            if error.sqlstate not in MADE_MEANWHILE:
                raise


def _driver(url: str) -> "type[psycopg.Error]":
    """The base of the driver's errors. Raises BooksUnusable where there is no driver, or no sense in the URL."""
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise BooksUnusable(
            "PostgreSQL",
            f"its driver is not there ({str(error).splitlines()[0]})",
            "No points were changed.",
            "Install it: pip install 'tilld[postgres]', and libpq (on Debian and Ubuntu: apt-get install libpq5).",
        ) from error
    try:
        conninfo_to_dict(url)
    except psycopg.Error as error:
        raise BooksUnusable("PostgreSQL", f"this is no URL of a database ({_said(error)})", "", EXAMPLE) from error
    # It warns of what it ignores when a pipeline ends by an error: that error tells all of it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    return psycopg.Error


def _written(connection: "psycopg.Connection[Any]", work: Callable[[Tables], T], *, again: bool) -> T:
    """In a pipeline, to its end: what is wrong with any statement is known before the answer is given."""
    with _undone(connection):
        with connection.pipeline() as pipeline:
            connection.execute(WRITE.encode())
            done = work(PostgresTables(connection, pipeline, again=again))
            end = connection.execute("COMMIT")
        if end.statusmessage != "COMMIT":
            raise NotRecorded("the books took the work back; no points were changed")
    return done


def _looked(connection: "psycopg.Connection[Any]", work: Callable[[Tables], T]) -> T:
    """Without a pipeline, in which no cursor can fetch a few rows at a time."""
    with _undone(connection):
        connection.execute(READ.encode())
        done = work(PostgresTables(connection))
        connection.execute("COMMIT")
    return done


@contextmanager
def _undone(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Where something goes wrong, so that the connection can serve the next; if that fails, it serves nobody."""
    import psycopg

    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            connection.rollback()
        raise


def _is_at_rest(connection: "psycopg.Connection[Any]") -> bool:
    """Whether it can serve the next: an error while another one is handled may leave it stuck in its pipeline."""
    from psycopg.pq import PipelineStatus, TransactionStatus

    info = connection.info
    return (info.transaction_status, info.pipeline_status) == (TransactionStatus.IDLE, PipelineStatus.OFF)


def _shown(connection: "psycopg.Connection[Any]", query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _said(error: BaseException) -> str:
    """The first line: those that follow may quote values."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _meant(error: "psycopg.Error") -> Exception:
    import psycopg

    if isinstance(error, psycopg.DataError):
        return refused("malformed", "a text or number is none that PostgreSQL can hold")
    return NotRecorded(
        f"the books could not be used ({_said(error)}); no points were changed, or they were and sending again shows it"
    )
