"""Proof that the journal is whole, for us and for a stranger.

An exported line is `{"stream","seq","hash","record"}`: `record` is a string whose UTF-8 bytes are the stored
bytes, `hash` the lower-case hex of SHA-256 over the 32 bytes of the hash before (zeros for seq 1) and the record.
"""

import sqlite3
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from offline_queue.entry import GENESIS_HASH, Kind, Undecodable, chain, decode
from offline_queue.finder import SEQ_MASK, place_of
from offline_queue.journal import Verification

PAGE: Final = 1000
"""Records read at once: half a megabyte."""
_PAGE: Final = "SELECT place, record, hash FROM record WHERE place >= ? AND place <= ? ORDER BY place LIMIT ?"


class Line(msgspec.Struct, frozen=True):
    """One exported record."""

    stream: str
    seq: int
    hash: str
    record: str


def verify(connection: sqlite3.Connection) -> Verification:
    """Recomputes every chain from its genesis on."""
    count = 0
    for no, uid, last in _streams(connection):
        previous, seq = GENESIS_HASH, 0
        for place, record, stored in _records(connection, no):
            seq += 1
            why = _fault(uid, seq, place & SEQ_MASK, record, chain(previous, record) == stored)
            if why is not None:
                return Verification(count, ok=False, first_bad=(uid, seq, why))
            previous = stored
            count += 1
        if seq < max(last or 0, 1):
            return Verification(count, ok=False, first_bad=(uid, seq + 1, "the record is missing"))
    return Verification(count, ok=True, first_bad=None)


def _fault(uid: str, seq: int, found: int, record: bytes, chained: bool) -> str | None:
    if found != seq:
        return f"the record is missing; the next one is {found}"
    if not chained:
        return "the record or its hash was changed: the chain does not hold"
    try:
        entry = decode(record)
    except Undecodable as error:
        return f"the record is no entry: {error}"
    opens = entry.kind is Kind.GENESIS and entry.genesis is not None and entry.genesis.stream == uid
    return None if opens == (seq == 1) else "the genesis record is not where it belongs"


def export(connection: sqlite3.Connection, out: BinaryIO) -> int:
    """Every record, stream by stream; the number of them."""
    encoder, count = msgspec.json.Encoder(), 0
    for no, uid, _ in _streams(connection):
        for place, record, stored in _records(connection, no):
            out.write(encoder.encode(Line(uid, place & SEQ_MASK, stored.hex(), record.decode())) + b"\n")
            count += 1
    return count


def _streams(connection: sqlite3.Connection) -> list[tuple[int, str, int | None]]:
    return connection.execute("SELECT no, uid, last FROM stream ORDER BY no").fetchall()


def _records(connection: sqlite3.Connection, no: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Page by page: a reader that stands still, in a pipe say, would keep the writer from using its log again."""
    at, end = place_of(no, 0), place_of(no, SEQ_MASK)
    while rows := connection.execute(_PAGE, (at, end, PAGE)).fetchall():
        yield from rows
        at = rows[-1][0] + 1
