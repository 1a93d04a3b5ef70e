"""What tells a mark of the ledger from one that a failing disk has changed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def guard(database: "Database") -> None:
    """Streams get a check sum over the ledger's marks; empty until the ledger speaks of the stream again."""
    database.execute("ALTER TABLE stream ADD COLUMN guard INTEGER")
