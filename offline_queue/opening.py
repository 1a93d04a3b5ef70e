"""Opening the journal's file without ever harming one that is not a journal or is no longer whole.

The header is read as bytes before SQLite may touch the file, for SQLite replays, truncates and deletes.
"""

import logging
import os
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

import msgspec

from offline_queue.disk_sync import sync_to_disk
from offline_queue.journal import JournalUnusable
from offline_queue.migrations import APPLICATION_ID, LATEST, migrate

PAGE_SIZE: Final = 2048
"""Two or three records: a commit writes little more than what is new (SD cards)."""
CHECKPOINT_PAGES: Final = 8000
"""Only when the writer has found no time: it takes the log over between two commits (writer.py)."""
BUSY_S: Final = 5.0
MAGIC: Final = b"SQLite format 3\x00"

HEADER_SIZE: Final = 100
SAVE = "Points recorded in it that have not reached the ledger are only there: keep it."
NO_SALES = "The till cannot record sales; nothing was sold and nothing is lost."
Synchronous = Literal["full", "normal"]

log = logging.getLogger(__name__)


class Header(msgspec.Struct, frozen=True):
    """What the first 100 bytes of the file say (SQLite file format, section 1.3); sizes in bytes."""

    application_id: int
    version: int
    size: int
    """As the header has it; 0 when it does not say."""


def parse_header(raw: bytes) -> Header | None:
    """None when these are not the first bytes of an SQLite database."""
    if len(raw) < HEADER_SIZE or raw[:16] != MAGIC:
        return None
    page_size = 65536 if raw[16:18] == b"\x00\x01" else int.from_bytes(raw[16:18], "big")
    # The page count is valid only when the change counter equals the version-valid-for number.
    pages = int.from_bytes(raw[28:32], "big") if raw[24:28] == raw[92:96] else 0
    return Header(int.from_bytes(raw[68:72], "big"), int.from_bytes(raw[60:64], "big"), pages * page_size)


def open_to_write(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """The one connection that writes; made, checked and migrated. Raises JournalUnusable."""
    _check_access(path)
    if not path.exists():
        _refuse_orphan(path)
        _create(path)
    _check(path)
    log.info("journal %s: SQLite %s (%s), synchronous=%s", path, sqlite3.sqlite_version, sqlite3.__name__, synchronous)
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw")
    try:
        connection.execute("PRAGMA journal_mode = WAL")  # A copy made by other tools may have left it.
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise unusable(path, error) from error
    return connection


def reserve_log(path: Path, size: int) -> None:
    """Writes zeros up to `size` bytes into the write-ahead log, behind what is in it.

    A log that grows costs the file system a journal commit of its own with every append; SQLite writes over
    zeros as over an old log. Without the room it is left to grow.
    """
    wal = Path(f"{path}-wal")
    start = wal.stat().st_size
    with wal.open("r+b", buffering=0) as file:
        file.seek(start)
        try:
            file.write(bytes(max(0, size - start)))
            os.fsync(file.fileno())
        except OSError as error:
            log.warning("no room to reserve for the journal's log: %s", error)
        if file.tell() < size:
            file.truncate(start)


def open_to_read(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    """Raises JournalUnusable. The journal may be open elsewhere, unless the caller knows that it is `alone`.

    Then nothing is made beside the file, as long as there is no log to replay.
    """
    if not path.exists():
        raise JournalUnusable(
            path, "there is no journal here", "No points are recorded here.", f"Look into {path.parent}"
        )
    _check_header(path)
    how = "immutable=1" if alone and not _has_log(path) else "mode=ro"
    connection = _connect(f"{path.absolute().as_uri()}?{how}")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=BUSY_S
    )


def _check_access(path: Path) -> None:
    try:
        if path.exists() and not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
            raise JournalUnusable(path, "this user may not write it", NO_SALES, f"Run: chmod u+rw {quoted(path)}")
        if not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            what = "its folder does not exist or this user may not write there"
            remedy = f"Run: install -d -m 700 -o {os.getuid()} {quoted(path.parent)}"
            raise JournalUnusable(path, what, NO_SALES, remedy)
        if path.is_dir():
            raise JournalUnusable(path, "it is a folder", NO_SALES, aside(path))
    except OSError as error:
        raise JournalUnusable(path, str(error), NO_SALES, f"Look into: ls -ld {quoted(path.parent)}") from error


def _refuse_orphan(path: Path) -> None:
    """A new journal beside the log of a lost one would take in that log's pages as its own."""
    if _has_log(path):
        what = "it is gone, and its write-ahead log is still there"
        remedy = f"Put the file back where it was, beside the log. To start anew instead: {aside(path)}"
        raise JournalUnusable(path, what, SAVE, remedy)


def _check(path: Path) -> None:
    _check_header(path)
    unclean = _has_log(path)
    # Without a write-ahead log to replay nothing beside the file is needed, and so nothing is made there.
    uri = path.absolute().as_uri() + ("?mode=ro" if unclean else "?immutable=1")
    shm = Path(f"{path}-shm")
    had_shm = shm.exists()
    try:
        version = _look_inside(uri, thorough=unclean)
    except sqlite3.Error as error:
        if not had_shm:
            shm.unlink(missing_ok=True)
        raise damaged(path, str(error)) from error
    _check_version(path, version)


def _has_log(path: Path) -> bool:
    wal = Path(f"{path}-wal")
    return wal.exists() and wal.stat().st_size > 0


def _look_inside(uri: str, *, thorough: bool) -> int:
    """The schema's version; after an unclean end every page is looked at. Raises sqlite3.Error."""
    with closing(_connect(uri)) as connection:
        connection.execute("SELECT max(place) FROM record").fetchone()
        if thorough:
            log.warning("the journal was not closed cleanly: checking it")
            (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if result != "ok":
                raise sqlite3.DatabaseError(result)
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def _check_version(path: Path, version: int) -> None:
    if version > LATEST:
        what = f"a newer tilld wrote it (schema {version}, this one knows {LATEST})"
        raise JournalUnusable(path, what, SAVE, f"Install that version again. To start anew instead: {aside(path)}")


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            raw, size = file.read(HEADER_SIZE), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise JournalUnusable(path, str(error), SAVE, f"Look into: ls -l {quoted(path)}") from error
    header = parse_header(raw)
    if header is None:
        what = "it is empty" if size == 0 else "its first bytes are not those of a journal"
        raise JournalUnusable(path, what, SAVE, aside(path))
    if header.application_id != APPLICATION_ID:
        raise JournalUnusable(path, "it is the database of another program", SAVE, aside(path))
    _check_version(path, header.version)
    if header.size > size and not _has_log(path):
        raise JournalUnusable(path, f"it is truncated: {size} of {header.size} bytes are left", SAVE, aside(path))


def _create(path: Path) -> None:
    """Under another name first: a journal that exists is always whole."""
    new = Path(f"{path}.new")
    for leftover in (new, Path(f"{new}-wal"), Path(f"{new}-shm")):
        leftover.unlink(missing_ok=True)
    new.touch(mode=0o600)
    connection = _connect(f"{new.absolute().as_uri()}?mode=rw")
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection)
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    finally:
        connection.close()
    new.rename(path)
    sync_to_disk(path.parent)


def unusable(path: Path, error: sqlite3.Error) -> JournalUnusable:
    """What SQLite's error means to the people in the shop."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    if code == sqlite3.SQLITE_FULL:
        return JournalUnusable(path, "the disk is full", NO_SALES, f"Make room, see: df -h {quoted(path.parent)}")
    if code == sqlite3.SQLITE_BUSY:
        return JournalUnusable(path, "another program holds it", NO_SALES, f"Find it with: fuser -v {quoted(path)}")
    return JournalUnusable(path, str(error), NO_SALES, f"Look into: ls -ld {quoted(path)} {quoted(path.parent)}")


def damaged(path: Path, why: str) -> JournalUnusable:
    return JournalUnusable(path, f"it is damaged ({why})", SAVE, aside(path))


def aside(path: Path) -> str:
    """The command that lets the till start anew and keeps the file, with what SQLite keeps beside it."""
    files = [file for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if file.exists()]
    return f"Run: mkdir {quoted(path)}.aside && mv {' '.join(map(quoted, files))} {quoted(path)}.aside/"


def quoted(path: Path) -> str:
    return shlex.quote(str(path))
