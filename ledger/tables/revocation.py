"""A terminal's key that counts no more: what it signs from then on is kept, and has no effect."""

import logging
from typing import Final

from ledger.tables import changes
from ledger.tables.engine import Tables

log = logging.getLogger("tilld.ledger")

BREACHES: Final = "redeemed beyond its allowances {count} times"
"""The reason of the ledger itself."""


def revoke(tables: Tables, terminal: str, at: int, reason: str) -> bool:
    """Ends the key that the terminal has now; every till hears of it. `at` in ms since 1970. False: there is none."""
    rows = tables.rows("SELECT public_key FROM terminal WHERE name = ? AND length(public_key) > 0 FOR UPDATE", terminal)
    for (key,) in rows:
        tables.change(
            "UPDATE terminal_key SET revoked_at = coalesce(revoked_at, ?), reason = ?"
            " WHERE terminal = ? AND public_key = ?",
            *(at, reason, terminal, bytes(key)),
        )
        changes.tell_key(tables, terminal, bytes(key), revoked=True)
        log.warning("the key of %s was revoked (%s): what it signs counts no more", terminal, reason)
    return bool(rows)


def lift(tables: Tables, terminal: str, public_key: bytes) -> None:
    """Trusts a key of the terminal again, if it was revoked, and forgets what its keys had broken."""
    tables.change("UPDATE terminal SET breaches = 0 WHERE name = ?", terminal)
    was = tables.rows(
        "UPDATE terminal_key SET revoked_at = NULL, reason = NULL"
        " WHERE terminal = ? AND public_key = ? AND revoked_at IS NOT NULL RETURNING terminal",
        *(terminal, public_key),
    )
    if was:
        changes.tell_key(tables, terminal, public_key)
        log.warning("the key of %s is trusted again", terminal)
