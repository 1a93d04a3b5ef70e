"""Which records a backup covers: what tills may give up, because these books could be put back with them.

A copy of SQLite books is made, synced and opened before it counts. PostgreSQL is backed up by its own tools: the marks
are noted before such a backup begins, and count when the operator says that it is complete and kept.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.port.problems import refused
from ledger.tables.engine import Tables
from offline_queue.disk_sync import sync_to_disk

BEGUN: Final = "backup.begun"


def copy(books: sqlite3.Connection, path: Path) -> None:
    """The books as they are now, whole at `path` or not there at all. Raises sqlite3.Error, OSError."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
        books.backup(target)
        # One file, complete without a log beside it.
        target.execute("PRAGMA journal_mode = DELETE").fetchone()
    sync_to_disk(unfinished)
    unfinished.replace(path)
    sync_to_disk(path.parent)


def marks_in(path: Path) -> dict[int, int]:
    """How far each stream, by number, is held in a copy that is sound. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (word,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if word != "ok":
            raise sqlite3.DatabaseError(word)
        return dict(connection.execute("SELECT no, mark FROM stream").fetchall())


def cover(tables: Tables, marks: dict[int, int]) -> int:
    """So far is a backup of these books known to reach; how many streams that brings forward."""
    held = tables.rows("SELECT no, stable FROM stream WHERE mark > stable")
    further = [(marks[no], no) for no, stable in held if marks.get(no, 0) > stable]
    for mark, no in further:
        tables.change("UPDATE stream SET stable = ? WHERE no = ?", mark, no)
    return len(further)


def begin(tables: Tables, now: str) -> str:
    """Notes the marks before the operator's own backup is made; the time of the note that counts (RFC 3339).

    An earlier note stays until it is declared: which of two backups is complete nobody can tell, and the first holds
    the least.
    """
    noted = tables.rows("SELECT value FROM fact WHERE name = ?", BEGUN)
    if noted:
        return str(noted[0][0])
    tables.change("UPDATE stream SET begun = mark WHERE mark > stable")
    tables.insert("fact", [(BEGUN, now)])
    return now


def declare(tables: Tables) -> int:
    """The backup that was begun is kept: how many streams it brings forward. Raises Refused `malformed`."""
    if not tables.rows("SELECT 1 FROM fact WHERE name = ?", BEGUN):
        raise refused("malformed", "no backup was begun: say `tilld ledger backup --begin` before you make it")
    count = int(tables.rows("SELECT count(*) FROM stream WHERE begun > stable")[0][0])
    tables.change("UPDATE stream SET stable = begun WHERE begun > stable")
    tables.change("UPDATE stream SET begun = NULL WHERE begun IS NOT NULL")
    tables.change("DELETE FROM fact WHERE name = ?", BEGUN)
    return count
