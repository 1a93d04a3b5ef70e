"""The first journal: streams, their records, and what the ledger said of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

# sqlite-utils makes no tables WITHOUT ROWID.
FINDER = """
CREATE TABLE finder (
    word INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (word, place)
) STRICT, WITHOUT ROWID
"""


def journal(database: "Database") -> None:
    """Makes every table of version 1."""
    _streams(database)
    _rights(database)
    database.create_table("fact", {"name": str, "value": str}, pk="name", not_null={"value"}, strict=True)


def _streams(database: "Database") -> None:
    database.create_table(
        "stream",
        {
            "no": int,
            "uid": str,
            "lane": str,
            "last": int,
            "sealed": int,
            "settled": int,
            "indexed": int,
            "accepted": int,
            "stable": int,
            "generation": str,
        },
        pk="no",
        not_null={"uid", "lane", "sealed", "settled", "indexed", "accepted", "stable"},
        defaults={"sealed": 0, "settled": 0, "indexed": 1, "accepted": 0, "stable": 0},
        strict=True,
    )
    database.table("stream").create_index(["uid"], unique=True)
    database.create_table(
        "record",
        {"place": int, "record": bytes, "hash": bytes, "digest": bytes, "reply": bytes},
        pk="place",
        not_null={"record", "hash", "digest", "reply"},
        strict=True,
    )
    database.execute(FINDER)
    database.create_table(
        "verdict",
        {"first": int, "last": int, "n": int, "state": str, "code": str, "detail": str, "points": int},
        pk="first",
        not_null={"last", "n", "state", "code"},
        strict=True,
    )


def _rights(database: "Database") -> None:
    database.create_table(
        "allowance",
        {"id": str, "key": str, "card": str, "points": int, "stream": str, "state": str, "asked_at": str},
        pk="id",
        not_null={"key", "card", "points", "stream", "state", "asked_at"},
        strict=True,
    )
    database.table("allowance").create_index(["state"])
    database.create_table("reversal", {"original": str, "points": int}, pk="original", not_null={"points"}, strict=True)
