"""What lets a journal forget: the ledger's receipts, and where a stream begins now."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def custody(database: "Database") -> None:
    """Streams get a receipt of custody, and the last record that was trimmed with the chain's hash after it."""
    database.execute("ALTER TABLE stream ADD COLUMN receipt TEXT")
    database.execute("ALTER TABLE stream ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0")
    database.execute("ALTER TABLE stream ADD COLUMN trimmed_hash BLOB")
