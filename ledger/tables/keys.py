"""Every key that a terminal has had: what it signed before its disk was replaced stays proven."""

from collections.abc import Sequence

from ledger.tables.engine import Tables


def terminal_keys(tables: Tables, terminals: Sequence[str]) -> dict[str, list[bytes]]:
    """Every key that each terminal has had and that is not revoked, the newest first."""
    rows = tables.rows(
        "SELECT terminal, public_key FROM terminal_key WHERE terminal = ANY(?) AND revoked_at IS NULL"
        " ORDER BY since DESC, public_key",
        terminals,
    )
    found: dict[str, list[bytes]] = {}
    for terminal, key in rows:
        found.setdefault(terminal, []).append(key)
    return found
