"""The two streams that this start of the daemon appends to: how they begin, grow by a record and end.

Streams are new at every start, so a restored or copied disk can never use a sequence number twice.
"""

import sqlite3
from functools import lru_cache
from typing import Final
from zlib import crc32

from offline_queue.entry import (
    GENESIS_HASH,
    LANE_OF,
    Clock,
    Entry,
    Genesis,
    Kind,
    Lane,
    Parent,
    chain,
    encode,
    uuid7,
)
from offline_queue.finder import SEQ_MASK, place_of
from offline_queue.journal import Origin
from offline_queue.journal_marks import note_settled
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.wire import PROTOCOL

Row = tuple[int, bytes, bytes, bytes, bytes]
ORDER: Final = (Lane.URGENT, Lane.BULK)
"""The busier lane comes last, for a table that grows at its end stays packed."""
LANE_NUMBER: Final = {kind: ORDER.index(lane) for kind, lane in LANE_OF.items()}


DIGEST_BYTES: Final = 16
GUARD_BYTES: Final = 4

Head = tuple[int, bytes]
"""The end of a stream: the place and the chain's hash of its last record. A bare tuple: one is made for each append."""


def grown(head: Head, record: bytes) -> Head:
    """The end after one more record."""
    place, digest = head
    return place + 1, chain(digest, record)


def row(head: Head, record: bytes, digest: bytes, reply: bytes) -> Row:
    """The row of the record that `head` ends with."""
    return head[0], record, head[1], digest, reply


def guarded(digest: bytes, reply: bytes) -> bytes:
    """A request's digest as it is stored: with the CRC-32 of digest and reply, which the chain does not cover."""
    return digest + crc32(reply, crc32(digest)).to_bytes(GUARD_BYTES, "big")


def unguarded(stored: bytes) -> bytes:
    """The digest alone; journals of the first version have it so."""
    return stored[:-GUARD_BYTES] if len(stored) % DIGEST_BYTES else stored


def intact(stored: bytes, reply: bytes) -> bool:
    """Whether digest and reply are as they were written; without a guard nothing tells."""
    return stored in (unguarded(stored), guarded(unguarded(stored), reply))


@lru_cache(maxsize=256)
def insertion(rows: int) -> str:
    """One statement for so many rows: a commit without BEGIN, and one step for SQLite."""
    return "INSERT INTO record VALUES" + ", ".join(["(?, ?, ?, ?, ?)"] * rows)


def begin(connection: sqlite3.Connection, origin: Origin, timepiece: Timepiece) -> list[tuple[str, Head]]:
    """Closes what an earlier start has left open and begins a stream for each lane: uids and heads in their order.

    Raises sqlite3.Error, and then nothing has changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        _close_leftovers(connection)
        begun = [_begin_stream(connection, lane, origin, timepiece) for lane in ORDER]
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return begun


def seal(connection: sqlite3.Connection, origin: Origin, timepiece: Timepiece) -> None:
    """The last record of each open stream: this start has ended in order, nothing follows."""
    for no in _open(connection):
        record = encode(_control(Kind.SEAL, origin, timepiece))
        head = grown(_head(connection, no), record)
        connection.execute(insertion(1), row(head, record, b"", b""))
        connection.execute("UPDATE stream SET sealed = 1, last = ? WHERE no = ?", (head[0] & SEQ_MASK, no))


def _close_leftovers(connection: sqlite3.Connection) -> None:
    for no in _open(connection):
        last = _head(connection, no)[0] & SEQ_MASK
        connection.execute("UPDATE stream SET last = ? WHERE no = ?", (last, no))
        note_settled(connection, no)


def _open(connection: sqlite3.Connection) -> list[int]:
    return [no for (no,) in connection.execute("SELECT no FROM stream WHERE last IS NULL").fetchall()]


def _head(connection: sqlite3.Connection, no: int) -> Head:
    found: Head = connection.execute(
        "SELECT place, hash FROM record WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1",
        (place_of(no, 1), place_of(no, SEQ_MASK)),
    ).fetchone()
    return found


def _begin_stream(connection: sqlite3.Connection, lane: Lane, origin: Origin, timepiece: Timepiece) -> tuple[str, Head]:
    uid = timepiece.random(16).hex()
    genesis = Genesis(uid, lane, origin.machine_id, origin.software, PROTOCOL, _parent(connection, lane))
    record = encode(_control(Kind.GENESIS, origin, timepiece, genesis))
    no = connection.execute("INSERT INTO stream (uid, lane) VALUES (?, ?)", (uid, lane.value)).lastrowid or 0
    head = grown((place_of(no, 0), GENESIS_HASH), record)
    connection.execute(insertion(1), row(head, record, b"", b""))
    return uid, head


def _parent(connection: sqlite3.Connection, lane: Lane) -> Parent | None:
    found = connection.execute(
        "SELECT uid, last, hash FROM stream JOIN record ON place = no << 40 | last"
        " WHERE lane = ? ORDER BY no DESC LIMIT 1",
        (lane.value,),
    ).fetchone()
    return Parent(found[0], found[1], found[2].hex()) if found else None


def _control(kind: Kind, origin: Origin, timepiece: Timepiece, genesis: Genesis | None = None) -> Entry:
    unix_ms = timepiece.unix_ms()
    now = rfc3339(unix_ms)
    identity = uuid7(unix_ms, timepiece.random(10))
    clock = Clock(boot_id=timepiece.boot_id, monotonic_ms=timepiece.boottime_ms(), wall=now)
    return Entry(
        id=identity,
        key=identity,
        kind=kind,
        terminal=origin.terminal,
        business_day=now[:10],
        occurred_at=now,
        clock=clock,
        genesis=genesis,
    )
