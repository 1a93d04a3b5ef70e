"""The feed of changes in the tables: cards that tills must treat otherwise, and terminals' keys.

Its numbers have no hole and come in the order of the commits, for its counter is one row, held until the commit. It is
the last that a transaction holds, so nobody waits long; changes are rare.
"""

import base64
from collections.abc import Sequence
from typing import Any

from ledger.tables.engine import Tables
from offline_queue.wire_feeds import CardChange, Change, KeyChange

COUNTER = "SELECT value FROM fact WHERE name = 'changes'"


def end(tables: Tables) -> int:
    """The number of the last change; 0 before the first."""
    rows = tables.rows(COUNTER)
    return int(rows[0][0]) if rows else 0


def numbers(tables: Tables, count: int) -> list[int]:
    """So many numbers of its own for this transaction, which holds the counter from here on."""
    if not count:
        return []
    tables.insert("fact", [("changes", "0")], "ON CONFLICT (name) DO NOTHING")
    last = int(tables.rows(f"{COUNTER} FOR UPDATE")[0][0])
    tables.change("UPDATE fact SET value = ? WHERE name = 'changes'", str(last + count))
    return list(range(last + 1, last + count + 1))


def tell(tables: Tables, changes: Sequence[CardChange | KeyChange], numbers: Sequence[int]) -> None:
    """Every till hears of these, under these numbers, in their order."""
    rows = [(number, *_columns(change)) for number, change in zip(numbers, changes, strict=True)]
    tables.insert("change", rows)


def tell_key(tables: Tables, terminal: str, public_key: bytes, *, revoked: bool = False) -> None:
    """Every till hears that a terminal has this key, or that what it signs counts no more."""
    change = KeyChange(terminal, base64.b64encode(public_key).decode(), revoked)
    tell(tables, [change], numbers(tables, 1))


def page(tables: Tables, after: int, limit: int) -> tuple[list[Change], bool]:
    """Changes beyond `after`, and whether there are more."""
    rows = tables.rows(
        "SELECT n, card, status, successor, terminal, public_key, revoked FROM change WHERE n > ? ORDER BY n LIMIT ?",
        *(after, limit + 1),
    )
    return [_change(*row) for row in rows[:limit]], len(rows) > limit


def _columns(change: CardChange | KeyChange) -> tuple[object, ...]:
    if isinstance(change, CardChange):
        return (change.number, change.status, change.successor, None, None, None)
    return (None, None, None, change.terminal, base64.b64decode(change.public_key), int(change.revoked))


def _change(n: int, card: str | None, status: Any, successor: str | None, *key: Any) -> Change:
    if card is not None:
        return Change(n, card=CardChange(card, status, successor))
    terminal, public_key, revoked = key
    return Change(n, key=KeyChange(terminal, base64.b64encode(public_key).decode(), bool(revoked)))
