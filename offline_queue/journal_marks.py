"""What the ledger has said of the records: its marks, and its verdicts as ranges.

A state is never stored for each row. `verdict` holds ranges of records that do not overlap; neighbours that
say the same become one, so a till whose sales are all posted has one row for each stream.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final
from zlib import crc32

import msgspec

from offline_queue.entry import State
from offline_queue.finder import SEQ_MASK, place_of
from offline_queue.receipts import Receipt
from offline_queue.wire import Marks
from offline_queue.wire_feeds import Verdict

CURSOR: Final = "feed.cursor"
CURSOR_GENERATION: Final = "feed.generation"
LEDGER_KEY: Final = "sync.ledger_key"
"""The fact under which the ledger's public key is kept, base64."""
_SETTLED = """
    UPDATE stream SET settled = last IS NOT NULL AND accepted >= last AND last - 1 - sealed <= (
        SELECT coalesce(sum(min(v.last, no << 40 | (stream.last - sealed)) - max(v.first, no << 40 | 2) + 1), 0)
        FROM verdict v WHERE v.first >= no << 40 AND v.first < (no + 1) << 40 AND v.state IN ('posted', 'resolved')
    ) WHERE no = ?
"""
_HEAD = """
    SELECT no, coalesce(last, (SELECT max(place) & 0xFFFFFFFFFF FROM record WHERE place < (no + 1) << 40))
    FROM stream WHERE uid = ?
"""
_TOUCHING = """
    SELECT first, last, n, state, code, detail, points FROM verdict WHERE last >= ?1 AND first <= ?2
    AND first >= coalesce((SELECT max(first) FROM verdict WHERE first <= ?1), ?1)
"""


class Range(msgspec.Struct, frozen=True):
    """The records at the places `first`..`last` and what the ledger says of them."""

    first: int
    last: int
    n: int
    state: str
    code: str
    detail: str | None
    points: int | None

    def says_the_same(self, other: "Range") -> bool:
        return (self.state, self.code, self.detail, self.points) == (
            other.state,
            other.code,
            other.detail,
            other.points,
        )


def remember(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def recall(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def mark(
    connection: sqlite3.Connection, marks: Mapping[str, Marks], generation: str, receipts: Mapping[str, Receipt]
) -> None:
    """Streams that are not ours are passed over.

    In the same generation a lower mark is a late answer and changes nothing. In a new one the ledger has been
    restored: what it forgot is queued again, its feed is read from the start.
    """
    for uid, said in marks.items():
        row = connection.execute("SELECT no, accepted, stable, generation FROM stream WHERE uid = ?", (uid,)).fetchone()
        if row is None:
            continue
        no, accepted, stable, known = row
        new = said.accepted if generation != known else max(accepted, said.accepted)
        # Books that lack a record again are no backup of it, whatever was said before.
        stable = min(max(stable, said.stable), new)
        connection.execute(
            "UPDATE stream SET accepted = ?, stable = ?, generation = ?, guard = ? WHERE no = ?",
            (new, stable, generation, guard(uid, new, stable, generation), no),
        )
        if uid in receipts:
            _file(connection, no, receipts[uid])
        if new < accepted:
            _clear(connection, place_of(no, new + 1), place_of(no, SEQ_MASK))
        note_settled(connection, no)
    if recall(connection, CURSOR_GENERATION) not in (None, generation):
        _move_cursor(connection, 0, generation)


def guard(uid: str, accepted: int, stable: int, generation: str) -> int:
    """CRC-32 over what the ledger has said: a bit that the disk turned would leave records unsent for ever."""
    return crc32(f"{uid} {accepted} {stable} {generation}".encode())


def _file(connection: sqlite3.Connection, no: int, receipt: Receipt) -> None:
    """The newest receipt of each generation proves all that the earlier ones did."""
    (row,) = connection.execute("SELECT receipt FROM stream WHERE no = ?", (no,)).fetchone()
    held = msgspec.json.decode(row, type=Receipt) if row else None
    if held is None or held.generation != receipt.generation or held.custody.seq <= receipt.custody.seq:
        connection.execute("UPDATE stream SET receipt = ? WHERE no = ?", (msgspec.json.encode(receipt).decode(), no))


def settle(connection: sqlite3.Connection, verdicts: Sequence[Verdict], cursor: int, generation: str) -> None:
    """A page of the feed and its cursor. Verdicts speak only of records that are ours and written: a restored till
    finds more in the feed than it holds, and whatever it writes next is not decided by that."""
    for verdict in verdicts:
        no, head = connection.execute(_HEAD, (verdict.stream,)).fetchone() or (0, 0)
        if verdict.first <= min(verdict.last, head):
            _decide(connection, no, msgspec.structs.replace(verdict, last=min(verdict.last, head)))
            note_settled(connection, no)
    _move_cursor(connection, cursor, generation)


def note_settled(connection: sqlite3.Connection, no: int) -> None:
    """A closed stream whose entries are all posted or resolved needs no look any more."""
    connection.execute(_SETTLED, (no,))


def _move_cursor(connection: sqlite3.Connection, cursor: int, generation: str) -> None:
    remember(connection, CURSOR, str(cursor))
    remember(connection, CURSOR_GENERATION, generation)


def _decide(connection: sqlite3.Connection, no: int, verdict: Verdict) -> None:
    first, last = place_of(no, verdict.first), place_of(no, verdict.last)
    _clear(connection, first, last)
    said = Range(first, last, verdict.n, verdict.state, verdict.code, verdict.detail, verdict.points)
    for neighbour in _touching(connection, first - 1, last + 1):
        if neighbour.says_the_same(said):
            connection.execute("DELETE FROM verdict WHERE first = ?", (neighbour.first,))
            said = msgspec.structs.replace(
                said, first=min(said.first, neighbour.first), last=max(said.last, neighbour.last)
            )
    _insert(connection, said)


def _clear(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Takes the verdicts back from `first`..`last`, and leaves what stands beside."""
    for old in _touching(connection, first, last):
        connection.execute("DELETE FROM verdict WHERE first = ?", (old.first,))
        if old.first < first:
            _insert(connection, msgspec.structs.replace(old, last=first - 1))
        if old.last > last:
            _insert(connection, msgspec.structs.replace(old, first=last + 1))


def _touching(connection: sqlite3.Connection, first: int, last: int) -> list[Range]:
    rows = connection.execute(_TOUCHING, (first, last)).fetchall()
    return [Range(*row) for row in rows]


def _insert(connection: sqlite3.Connection, said: Range) -> None:
    connection.execute(
        "INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?)",
        (said.first, said.last, said.n, said.state, said.code, said.detail, said.points),
    )


def verdict_at(connection: sqlite3.Connection, place: int, uid: str) -> Verdict | None:
    """The verdict that covers this record."""
    for said in _touching(connection, place, place):
        return verdict_from(said, uid)
    return None


def verdict_from(said: Range, uid: str) -> Verdict:
    from_seq, to_seq = said.first & SEQ_MASK, said.last & SEQ_MASK
    return Verdict(said.n, uid, from_seq, to_seq, State(said.state), said.code, said.detail, said.points)
