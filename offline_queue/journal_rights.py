"""Rights that entries use up, checked and moved inside the transaction of the entry that uses them.

Only the writer calls this: nobody else can change anything between a check and its commit.
"""

import sqlite3
from collections.abc import Collection

from offline_queue.counted import in_points
from offline_queue.entry import Entry, Kind
from offline_queue.finder import find
from offline_queue.journal import ALLOWANCE_MOVES, Allowance, AllowanceState, RightsRefused

_ALLOWANCE = "SELECT id, key, card, points, stream, state, asked_at FROM allowance WHERE id = ?"
_ALLOWANCES = """
    SELECT id, key, card, points, stream, state, asked_at FROM allowance
    WHERE state IN ({}) ORDER BY rowid
"""


def use_rights(connection: sqlite3.Connection, entry: Entry) -> None:
    """Raises RightsRefused, and then nothing was used."""
    if entry.kind is Kind.REVERSE and entry.reverses is not None:
        _reverse(connection, entry.reverses, entry.points)
    elif entry.allowance is not None and entry.kind is Kind.REDEEM:
        _consume(connection, entry.allowance, entry.points)
    elif entry.allowance is not None and entry.kind is Kind.RELEASE:
        _move(connection, _known(connection, entry.allowance), AllowanceState.RELEASED)
    elif entry.correction is not None and entry.correction.of is not None:
        connection.execute(
            "INSERT INTO resolution VALUES (?, ?) ON CONFLICT (of) DO UPDATE SET id = excluded.id",
            (entry.correction.of, entry.id),
        )


def resolution_of(connection: sqlite3.Connection, name: str) -> str | None:
    """The id of the last correction that this till wrote for the entry of this name."""
    row = connection.execute("SELECT id FROM resolution WHERE of = ?", (name,)).fetchone()
    return row[0] if row else None


def ask(connection: sqlite3.Connection, allowance: Allowance) -> None:
    """Asking again with the same id changes nothing."""
    connection.execute(
        "INSERT INTO allowance VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            allowance.id,
            allowance.key,
            allowance.card,
            allowance.points,
            allowance.stream,
            AllowanceState.ASKED,
            allowance.asked_at,
        ),
    )


def answer(connection: sqlite3.Connection, allowance_id: str, granted: bool, points: int | None) -> None:
    """An answer to what was never asked, or that comes after the end of the right, changes nothing.

    `points` where fewer were granted than asked for.
    """
    state = AllowanceState.GRANTED if granted else AllowanceState.REFUSED
    connection.execute(
        "UPDATE allowance SET state = ?, points = coalesce(?, points) WHERE id = ? AND state = ?",
        (state, points, allowance_id, AllowanceState.ASKED),
    )


def reversed_points(connection: sqlite3.Connection, original: str) -> int:
    """How many points of this entry were taken back by this till."""
    row = connection.execute("SELECT points FROM reversal WHERE original = ?", (original,)).fetchone()
    return row[0] if row else 0


def _reverse(connection: sqlite3.Connection, original: str, points: int) -> None:
    found, already = find(connection, "id", original), reversed_points(connection, original)
    # An original of another till is unknown here; its limit is the ledger's to keep.
    if found is not None:
        limit = found[1].points
        if already >= limit:
            raise RightsRefused(
                "reversed_twice", f"{original} has been reversed already, all {in_points(limit).en} of it"
            )
        if already + points > limit:
            raise RightsRefused(
                "over_reversal", f"{original} has {in_points(limit - already).en} left to reverse, not {points}"
            )
    connection.execute(
        "INSERT INTO reversal VALUES (?, ?) ON CONFLICT (original) DO UPDATE SET points = points + excluded.points",
        (original, points),
    )


def _consume(connection: sqlite3.Connection, allowance_id: str, points: int) -> None:
    allowance = _known(connection, allowance_id)
    if points > allowance.points:
        raise RightsRefused("allowance_exceeded", f"{in_points(points).en} asked of a right to {allowance.points}")
    _move(connection, allowance, AllowanceState.CONSUMED)


def _known(connection: sqlite3.Connection, allowance_id: str) -> Allowance:
    row = connection.execute(_ALLOWANCE, (allowance_id,)).fetchone()
    if row is None:
        raise RightsRefused("allowance_not_granted", f"this till has never asked for the right {allowance_id}")
    return _from_row(row)


def allowances(connection: sqlite3.Connection, states: Collection[AllowanceState]) -> list[Allowance]:
    """Rights in these states, in the order they were asked for."""
    rows = connection.execute(_ALLOWANCES.format(", ".join("?" * len(states))), list(states))
    return [_from_row(row) for row in rows.fetchall()]


def _from_row(row: tuple[str, str, str, int, str, str, str]) -> Allowance:
    identity, key, card, points, stream, state, asked_at = row
    return Allowance(identity, key, card, points, stream, AllowanceState(state), asked_at)


def _move(connection: sqlite3.Connection, allowance: Allowance, state: AllowanceState) -> None:
    if state not in ALLOWANCE_MOVES[allowance.state]:
        over = allowance.state in (AllowanceState.CONSUMED, AllowanceState.RELEASED)
        code = "allowance_used" if over else "allowance_not_granted"
        raise RightsRefused(code, f"the right {allowance.id} is {allowance.state}")
    connection.execute("UPDATE allowance SET state = ? WHERE id = ?", (state, allowance.id))
