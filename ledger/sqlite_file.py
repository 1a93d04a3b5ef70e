"""The books as one SQLite file: its schema, and how it is opened, checked and locked."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from ledger import backup
from ledger.port import BooksUnusable, NotRecorded
from ledger.source import Source
from ledger.sqlite_tables import SqliteTables
from ledger.tables import Tables
from ledger.tables_source import TablesSource

T = TypeVar("T")

APPLICATION_ID: Final = 0x74696C4C
"""`tilL`: told apart from the till's journal and from anybody else's file."""

BOOKS: Final = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE terminal (
    name TEXT PRIMARY KEY,
    public_key BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    seen_at INTEGER,
    software TEXT,
    decided INTEGER NOT NULL DEFAULT 0          -- n of its last verdict
) STRICT, WITHOUT ROWID;
CREATE TABLE stream (
    no INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminal,
    uid TEXT NOT NULL,
    branch INTEGER NOT NULL DEFAULT 0,          -- 0, or the how-manieth fork of this uid
    grown_from INTEGER REFERENCES stream,
    base INTEGER NOT NULL DEFAULT 0,            -- seq of the last record shared with grown_from
    mark INTEGER NOT NULL DEFAULT 0,
    stable INTEGER NOT NULL DEFAULT 0,          -- covered by a backup; nothing declares one yet
    head BLOB NOT NULL,
    UNIQUE (terminal, uid, branch)
) STRICT;
CREATE TABLE record (no INTEGER PRIMARY KEY, hash BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
-- Idempotency keys for ever, by 64 bits of their hash; the whole key is compared in the record itself.
CREATE TABLE claim (hash INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (hash, record)) STRICT, WITHOUT ROWID;
CREATE TABLE account (
    no INTEGER PRIMARY KEY,
    balance INTEGER NOT NULL,
    reserved INTEGER NOT NULL CHECK (reserved >= 0)
) STRICT;
CREATE TABLE card (number TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES account) STRICT, WITHOUT ROWID;
CREATE INDEX card_account ON card (account);
-- Double entry in one row: the points go to the account, and the programme's liability carries the opposite.
CREATE TABLE posting (
    record INTEGER PRIMARY KEY REFERENCES record,
    entry TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES account,
    points INTEGER NOT NULL,
    original INTEGER REFERENCES posting,
    code TEXT NOT NULL,
    posted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX posting_entry ON posting (entry);
CREATE INDEX posting_account ON posting (account);
CREATE INDEX posting_original ON posting (original) WHERE original IS NOT NULL;
CREATE TABLE lot (
    record INTEGER PRIMARY KEY REFERENCES posting,
    account INTEGER NOT NULL REFERENCES account,
    earned_at INTEGER NOT NULL,
    points INTEGER NOT NULL,
    remaining INTEGER NOT NULL                  -- below zero: an overdraft not yet repaid
) STRICT;
CREATE INDEX lot_open ON lot (account) WHERE remaining <> 0;
CREATE TABLE move (
    record INTEGER NOT NULL REFERENCES posting,
    lot INTEGER NOT NULL REFERENCES lot,
    points INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account,
    PRIMARY KEY (record, lot)
) STRICT, WITHOUT ROWID;
CREATE TABLE allowance (
    id TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    stream TEXT NOT NULL,
    card TEXT NOT NULL,
    points INTEGER NOT NULL,
    account INTEGER REFERENCES account,
    state TEXT NOT NULL,
    code TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE decision (
    terminal TEXT NOT NULL,
    n INTEGER NOT NULL,
    record INTEGER NOT NULL,                    -- the first of `count` records of one stream
    count INTEGER NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT,
    points INTEGER,
    PRIMARY KEY (terminal, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_record ON decision (terminal, record);
CREATE INDEX decision_flagged ON decision (record) WHERE state <> 'posted';
CREATE TABLE waiting (record INTEGER PRIMARY KEY REFERENCES record, reason TEXT NOT NULL) STRICT;
CREATE INDEX waiting_reason ON waiting (reason);
"""
NAMES: Final = """
-- A sale sent through two tills has two ids; a reversal may name the one that had no effect.
CREATE TABLE duplicate (entry TEXT PRIMARY KEY, first TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- A till that has been given another name goes on with its streams.
CREATE INDEX stream_uid ON stream (uid);
"""
LINEAGE: Final = """
-- What the genesis of a stream and hello say of it: who opened it, and the record that it follows.
ALTER TABLE stream ADD COLUMN lane TEXT;
ALTER TABLE stream ADD COLUMN parent TEXT;
ALTER TABLE stream ADD COLUMN parent_seq INTEGER;
ALTER TABLE stream ADD COLUMN parent_hash BLOB;
ALTER TABLE stream ADD COLUMN machine TEXT;
ALTER TABLE stream ADD COLUMN boot TEXT;
ALTER TABLE stream ADD COLUMN opened_at INTEGER;
ALTER TABLE stream ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stream ADD COLUMN followed INTEGER;  -- the least seq of it after which another stream was opened
ALTER TABLE stream ADD COLUMN flag TEXT;         -- fork or restored, until somebody has looked at it
CREATE INDEX stream_parent ON stream (parent);
ALTER TABLE terminal ADD COLUMN lost_at INTEGER; -- its journal was begun anew; until somebody has looked at it
"""
DATED_LOTS: Final = """
-- NULL: usable at once, and for ever. What was written off is no more in `remaining`.
ALTER TABLE lot ADD COLUMN active_at INTEGER;
ALTER TABLE lot ADD COLUMN expires_at INTEGER;
ALTER TABLE lot ADD COLUMN written_off INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lot_written_off ON lot (account) WHERE written_off > 0;
-- Between these moments no point of the account waits for its activation or is expired.
ALTER TABLE account ADD COLUMN usable_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN usable_until INTEGER;
CREATE INDEX account_expiry ON account (usable_until, no) WHERE usable_until IS NOT NULL;
"""
RIGHTS: Final = """
ALTER TABLE allowance ADD COLUMN asked INTEGER;  -- points of the request, where fewer were granted
ALTER TABLE allowance ADD COLUMN bound TEXT;     -- the later stream of its holder that it was confirmed for
ALTER TABLE allowance ADD COLUMN trusted TEXT;   -- the stream without a seal whose end was believed for its sake
ALTER TABLE allowance ADD COLUMN granted_at INTEGER;
CREATE INDEX allowance_terminal ON allowance (terminal) WHERE state IN ('open', 'locked');
CREATE INDEX allowance_trusted ON allowance (trusted) WHERE trusted IS NOT NULL;
ALTER TABLE terminal ADD COLUMN reported TEXT;   -- the generation under which it has delivered all that it held
INSERT INTO fact SELECT 'recovered', value FROM fact WHERE name = 'generation';
"""
KEYS: Final = """
-- Every key that a terminal has had: what it signed before its disk was replaced stays proven.
CREATE TABLE terminal_key (
    terminal TEXT NOT NULL,
    public_key BLOB NOT NULL,
    since INTEGER NOT NULL,
    revoked_at INTEGER,                         -- from then on nothing that it signed counts
    PRIMARY KEY (terminal, public_key)
) STRICT, WITHOUT ROWID;
INSERT INTO terminal_key SELECT name, public_key, enrolled_at, NULL FROM terminal WHERE length(public_key) > 0;
"""
CORRECTIONS: Final = """
-- What people said of an entry, in the order of saying: it `had` an effect in all and `shall` have had another.
CREATE TABLE correction (
    corrects INTEGER NOT NULL,                  -- the record that is spoken of
    n INTEGER NOT NULL,
    record INTEGER NOT NULL,
    had INTEGER NOT NULL,
    shall INTEGER NOT NULL,
    points INTEGER NOT NULL,                    -- the difference that was posted for it
    PRIMARY KEY (corrects, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_record ON correction (record);
-- Where to find the entries that have no posting and that a person may name: by id, or as STREAM:SEQ.
CREATE TABLE entry (id TEXT PRIMARY KEY, record INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO entry
SELECT json_extract(CAST(r.bytes AS TEXT), '$.id'), r.no FROM decision d JOIN record r ON r.no = d.record
WHERE d.state <> 'posted' AND json_valid(CAST(r.bytes AS TEXT)) AND length(r.bytes) <= 8192
    AND json_extract(CAST(r.bytes AS TEXT), '$.terminal') = d.terminal
    AND typeof(json_extract(CAST(r.bytes AS TEXT), '$.id')) = 'text'
    AND length(json_extract(CAST(r.bytes AS TEXT), '$.id')) <= 64
ORDER BY r.no;
"""
CARDS: Final = """
-- A card may be known before it has an account: blocked, or replaced by another.
CREATE TABLE known_card (
    number TEXT PRIMARY KEY,
    account INTEGER REFERENCES account,
    marked TEXT,                                -- blocked, replaced or merged
    successor TEXT,
    told INTEGER                                -- n of the last change that tills were told of it
) STRICT, WITHOUT ROWID;
INSERT INTO known_card (number, account) SELECT number, account FROM card;
DROP TABLE card;
ALTER TABLE known_card RENAME TO card;
CREATE INDEX card_account ON card (account);
ALTER TABLE account ADD COLUMN merged_into INTEGER;
CREATE INDEX account_giver ON account (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX allowance_account ON allowance (account) WHERE state IN ('open', 'locked');
-- What every till takes over: of a card, or of a terminal's key.
CREATE TABLE change (
    n INTEGER PRIMARY KEY,
    card TEXT,
    status TEXT,
    successor TEXT,
    terminal TEXT,
    public_key BLOB,
    revoked INTEGER
) STRICT;
INSERT INTO change (terminal, public_key, revoked)
SELECT terminal, public_key, revoked_at IS NOT NULL FROM terminal_key ORDER BY since, terminal, public_key;
INSERT INTO fact SELECT 'changes', CAST(count(*) AS TEXT) FROM change;
"""
CLAIMS: Final = """
-- A sale without a card waits for whoever has its claim code.
INSERT INTO waiting
SELECT DISTINCT r.no, 'claim:' || json_extract(CAST(r.bytes AS TEXT), '$.key')
FROM decision d JOIN record r ON r.no = d.record
WHERE d.code = 'card_unknown' AND d.state = 'parked' AND json_valid(CAST(r.bytes AS TEXT))
    AND json_extract(CAST(r.bytes AS TEXT), '$.kind') = 'earn'
    AND json_extract(CAST(r.bytes AS TEXT), '$.card') IS NULL
    AND length(json_extract(CAST(r.bytes AS TEXT), '$.key')) <= 64
    AND r.no NOT IN (SELECT record FROM waiting);
"""
JUDGING: Final = """
ALTER TABLE terminal ADD COLUMN breaches INTEGER NOT NULL DEFAULT 0;   -- since its key was let in
ALTER TABLE terminal_key ADD COLUMN reason TEXT;                       -- why it was revoked
-- Who earned on a receipt, by 64 bits of the hash of store, number and time.
CREATE TABLE receipt (hash INTEGER PRIMARY KEY, record INTEGER NOT NULL) STRICT;
-- What a terminal's clocks said when the ledger's said `ledger_ms`, for each boot.
CREATE TABLE anchor (
    terminal TEXT NOT NULL,
    boot TEXT NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    ledger_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, boot)
) STRICT, WITHOUT ROWID;
-- What was redeemed without an allowance, by the shops' business days.
CREATE TABLE offline_day (
    account INTEGER NOT NULL REFERENCES account,
    day TEXT NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;
"""
BACKUPS: Final = """
ALTER TABLE stream ADD COLUMN begun INTEGER;     -- the mark before a backup that is not declared complete yet
"""
STEPS: Final = (BOOKS, NAMES, LINEAGE, DATED_LOTS, RIGHTS, KEYS, CORRECTIONS, CARDS, CLAIMS, JUDGING, BACKUPS)
"""Each brings the books to the next version of the schema; one is never changed after a release."""
SCHEMA_VERSION: Final = len(STEPS)


def connect(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode with full syncs; makes the books where there are none.

    Raises BooksUnusable and leaves a file that is not ours untouched.
    """
    if path.exists() and path.stat().st_size > 0:
        _look(path)
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        _prepare(connection, path)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:  # the module decodes SQLite's own words of bent pages
        if connection is not None:
            connection.close()
        raise BooksUnusable(
            str(path),
            f"the books cannot be opened ({error})",
            "No points were changed.",
            "See that the folder exists, has room and belongs to this user.",
        ) from error
    except BooksUnusable:
        if connection is not None:
            connection.close()
        raise
    return connection


def _look(path: Path) -> None:
    """Reads the header alone (https://www.sqlite.org/fileformat2.html section 1.3), so that nothing is changed."""
    meaning, remedy = (
        "Nothing in it was touched.",
        "Name another file with --database, or restore the books from a backup.",
    )
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise BooksUnusable(str(path), "this file is no SQLite database", meaning, remedy)
    ours = int.from_bytes(header[68:72], "big") == APPLICATION_ID
    in_journal = Path(f"{path}-wal").exists()
    if not ours and not in_journal:
        raise BooksUnusable(str(path), "this database holds no tilld ledger", meaning, remedy)
    page = int.from_bytes(header[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    if path.stat().st_size < expected and not in_journal:
        what = f"the file is cut short: {path.stat().st_size} of {expected} bytes"
        raise BooksUnusable(str(path), what, meaning, remedy)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Pragmas of every connection, then the schema where there is none."""
    application, version, objects = (
        connection.execute(query).fetchone()[0]
        for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if objects and (application != APPLICATION_ID or version > SCHEMA_VERSION):
        newer = application == APPLICATION_ID
        what = f"schema {version} is newer than this tilld's {SCHEMA_VERSION}" if newer else "this is no tilld ledger"
        remedy = "Update tilld." if newer else "Name another file with --database."
        raise BooksUnusable(str(path), what, "Nothing in it was touched.", remedy)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    for number, step in enumerate(STEPS[version:], start=version + 1):
        marks = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={number};"
        connection.executescript(f"BEGIN IMMEDIATE; {step} {marks} COMMIT;")


class SqliteFile:
    """See tables.Engine. One connection, one transaction at a time over all threads, one writer over all processes.

    SQLite before 3.51.3 can corrupt a WAL that two connections reset at once; the office's commands work beside a
    running server, so each writer holds a lock (a file beside the books) from before BEGIN until after COMMIT with its
    checkpoint.
    """

    clerks = 1

    def __init__(self, path: Path) -> None:
        """Raises BooksUnusable."""
        self.connection = connect(path)
        self._threads = threading.RLock()
        self._writer: int | None = os.open(f"{path}-writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction. Raises NotRecorded where the engine failed: then nothing was done."""
        with self._alone(), self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view. Raises NotRecorded where the engine failed."""
        with self._threads:
            self._must_be_open()
            with self._transaction("BEGIN"):
                yield

    def source(self, tables: Tables) -> Source:
        return TablesSource(tables)

    def write(self, work: Callable[[Tables], T]) -> T:
        with self.writing():
            return work(SqliteTables(self.connection))

    def read(self, work: Callable[[Tables], T]) -> T:
        with self.reading():
            return work(SqliteTables(self.connection))

    def copy(self, path: Path) -> None:
        """See tables.Engine."""
        with self._threads:
            self._must_be_open()
            try:
                backup.copy(self.connection, path)
            except (sqlite3.Error, OSError) as error:
                raise NotRecorded(f"no backup was made at {path} ({error}); the books go on") from error

    def close(self) -> None:
        """Closing the last connection checkpoints, so that too happens alone. May be called twice."""
        with self._threads:
            if self._writer is None:
                return
            with self._alone():
                self.connection.close()
            os.close(self._writer)
            self._writer = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._threads:
            lock = self._must_be_open()
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)

    def _must_be_open(self) -> int:
        """The writer's lock. Raises NotRecorded."""
        if self._writer is None:
            raise NotRecorded("the books are closed; no points were changed")
        return self._writer

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        try:
            self.connection.execute(begin)
            yield
            self.connection.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise NotRecorded(f"the books could not be used ({error}); no points were changed") from error
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
