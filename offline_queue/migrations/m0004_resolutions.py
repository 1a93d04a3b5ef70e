"""What people have settled: found again by what they spoke of."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def resolutions(database: "Database") -> None:
    """The last correction that this till wrote for an entry, by the name that the entry has in it."""
    database.execute("CREATE TABLE resolution (of TEXT PRIMARY KEY, id TEXT NOT NULL) STRICT")
