"""Rows of the `stream` table, and what follows from them and the verdicts."""

import sqlite3
from typing import Final

import msgspec

from offline_queue.entry import Lane, decode
from offline_queue.finder import SEQ_MASK, place_of
from offline_queue.journal_marks import Range, verdict_from
from offline_queue.receipts import Receipt
from offline_queue.stretches import Stretch, stretches
from offline_queue.wire import StreamHead

ALL: Final = """
    SELECT no, uid, lane, accepted, sealed, last IS NULL, coalesce(last, (
        SELECT max(place) & 0xFFFFFFFFFF FROM record WHERE place >= no << 40 AND place < (no + 1) << 40
    )) FROM stream
"""
_WAITING: Final = f"""
    {ALL} WHERE last IS NULL
    OR no IN (SELECT no FROM stream WHERE accepted < last AND lane = '{Lane.URGENT}' ORDER BY no LIMIT :most)
    OR no IN (SELECT no FROM stream WHERE accepted < last AND lane = '{Lane.BULK}' ORDER BY no LIMIT :most)
"""  # noqa: S608 - our own names
UNSETTLED: Final = ALL + " WHERE NOT settled"
_UNCOVERED = """
    SELECT no FROM stream WHERE last IS NOT NULL AND accepted >= last AND stable < last ORDER BY no DESC LIMIT ?
"""
_VERDICTS = """
    SELECT first, last, n, state, code, detail, points FROM verdict WHERE first >= ? AND first <= ? ORDER BY first
"""


class Stream(msgspec.Struct, frozen=True):
    """A stream as the journal holds it; `head` is the seq of its last record."""

    no: int
    uid: str
    lane: str
    accepted: int
    sealed: int
    is_open: int
    head: int


def streams(connection: sqlite3.Connection, which: str = ALL) -> list[Stream]:
    """The oldest first; `which` is ALL or UNSETTLED."""
    return [Stream(*row) for row in connection.execute(which).fetchall()]


def waiting(connection: sqlite3.Connection, most: int) -> list[Stream]:
    """Streams that are open, and of each lane the oldest that are not wholly accepted; the oldest first."""
    return [Stream(*row) for row in connection.execute(_WAITING, {"most": most}).fetchall()]


def uncovered(connection: sqlite3.Connection, most: int) -> set[int]:
    """The numbers of the newest streams that are ended and accepted, and that no backup of the ledger covers yet."""
    return {no for (no,) in connection.execute(_UNCOVERED, (most,)).fetchall()}


def stretches_of(connection: sqlite3.Connection, stream: Stream) -> list[Stretch]:
    """How the entries of a stream stand, in order."""
    bounds = place_of(stream.no, 0), place_of(stream.no, SEQ_MASK)
    verdicts = [verdict_from(Range(*row), stream.uid) for row in connection.execute(_VERDICTS, bounds).fetchall()]
    return [*stretches(stream.head, stream.accepted, verdicts, sealed=bool(stream.sealed))]


def head_of(connection: sqlite3.Connection, stream: Stream) -> StreamHead:
    """The stream as the ledger is told of it."""
    genesis = decode(record_at(connection, place_of(stream.no, 1))).genesis
    return StreamHead(
        stream=stream.uid,
        lane=Lane(stream.lane),
        seq=stream.head,
        hash=hash_at(connection, place_of(stream.no, stream.head)).hex(),
        accepted=stream.accepted,
        sealed=bool(stream.sealed),
        parent=genesis.parent if genesis else None,
    )


def numbered(connection: sqlite3.Connection, uid: str) -> int | None:
    """The stream's number, None when it is not of this journal."""
    row = connection.execute("SELECT no FROM stream WHERE uid = ?", (uid,)).fetchone()
    return row[0] if row else None


def accepted(connection: sqlite3.Connection, uid: str) -> int:
    """The ledger's mark, 0 for a stream that is not of this journal."""
    row = connection.execute("SELECT accepted FROM stream WHERE uid = ?", (uid,)).fetchone()
    return int(row[0]) if row else 0


def end(connection: sqlite3.Connection, uid: str) -> int:
    """The seq of the stream's last record, 0 for a stream that is not of this journal."""
    found = connection.execute(f"{ALL} WHERE uid = ?", (uid,)).fetchone()
    return Stream(*found).head if found else 0


def number_of(connection: sqlite3.Connection, uid: str) -> int:
    """Raises LookupError."""
    number = numbered(connection, uid)
    if number is None:
        raise LookupError(f"no stream {uid} in this journal")
    return number


def receipt_of(connection: sqlite3.Connection, no: int) -> Receipt | None:
    """The ledger's newest receipt of custody for the stream with this number."""
    (kept,) = connection.execute("SELECT receipt FROM stream WHERE no = ?", (no,)).fetchone()
    return msgspec.json.decode(kept, type=Receipt) if kept else None


def hash_at(connection: sqlite3.Connection, place: int) -> bytes:
    """Raises LookupError."""
    row = connection.execute("SELECT hash FROM record WHERE place = ?", (place,)).fetchone()
    if row is None:
        raise LookupError(f"no record {place & SEQ_MASK} in this stream")
    digest: bytes = row[0]
    return digest


def kept_from(connection: sqlite3.Connection, place: int) -> int:
    """The place of the stream's first record from this one on; this one where there is none."""
    query = "SELECT place FROM record WHERE place BETWEEN ? AND ? ORDER BY place LIMIT 1"
    row = connection.execute(query, (place, place | SEQ_MASK)).fetchone()
    return int(row[0]) if row else place


def next_record(connection: sqlite3.Connection, place: int) -> bytes:
    """The bytes of the first record from a place on: those that were given up are gone, also where books ask again."""
    query = "SELECT record FROM record WHERE place >= ? ORDER BY place LIMIT 1"
    (record,) = connection.execute(query, (place,)).fetchone()
    return bytes(record)


def record_at(connection: sqlite3.Connection, place: int) -> bytes:
    """The bytes of a record that is there."""
    (record,) = connection.execute("SELECT record FROM record WHERE place = ?", (place,)).fetchone()
    return bytes(record)
