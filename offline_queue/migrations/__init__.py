"""The steps that bring a journal to the schema of this version; forward only.

A step is never changed after a release: what it made is in the shops. tests/offline_queue/schema.sql is the
schema to read, and a test holds it equal to what the steps make.
"""

import sqlite3
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from offline_queue.migrations.m0001_journal import journal
from offline_queue.migrations.m0002_custody import custody
from offline_queue.migrations.m0003_guard import guard
from offline_queue.migrations.m0004_resolutions import resolutions

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID: Final = 0x74696C64
"""`tild` in the file's header (SQLite file format, section 1.3.12): how a journal is told from a foreign file."""

STEPS: Final[tuple[Callable[["Database"], None], ...]] = (journal, custody, guard, resolutions)
LATEST: Final = len(STEPS)


def migrate(connection: sqlite3.Connection) -> None:
    """Applies the missing steps, each in a transaction of its own. Raises sqlite3.Error."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == LATEST:
        return
    database = _tooling()(connection, execute_plugins=False)
    for number, step in enumerate(STEPS[version:], start=version + 1):
        with database.atomic():
            step(database)
            connection.execute(f"PRAGMA user_version = {number}")


def _tooling() -> type["Database"]:
    """Only a journal that must change pays for this import (half a second and 10 MB on a small machine).

    sqlite-utils takes numpy along where a camera has brought it: 15 MB that the daemon would keep.
    """
    hidden = "numpy" not in sys.modules
    if hidden:
        sys.modules["numpy"] = None  # type: ignore[assignment]  # importlib's own way to say: not here
    try:
        from sqlite_utils import Database
    finally:
        if hidden:
            del sys.modules["numpy"]
    return Database
