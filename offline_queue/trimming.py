"""Giving up old records, so that a till's disk does not fill in years: those alone that can never be asked for again.

A record goes when it is posted, a backup of the ledger covers it, the ledger's receipt proves it, and it is old. The
genesis and the last record of a stream stay: chains and new streams hang on them.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec

from offline_queue.entry import Entry, State, decode
from offline_queue.finder import place_of
from offline_queue.journal_streams import Stream, hash_at, receipt_of, stretches_of
from offline_queue.stretches import Stretch

STEP: Final = 256
"""Records in a step: a page's worth of work for the writer, so that no sale waits for it."""
RUNS_IN_A_STEP: Final = 8
_DONE: Final = frozenset({State.POSTED, State.RESOLVED})
_STREAMS: Final = """
    SELECT no, uid, lane, accepted, sealed, last IS NULL, coalesce(last, (
        SELECT max(place) & 0xFFFFFFFFFF FROM record WHERE place >= no << 40 AND place < (no + 1) << 40
    )), stable, trimmed, indexed FROM stream WHERE receipt IS NOT NULL AND stable > max(trimmed, 1) ORDER BY no
"""
_RECORDS: Final = "SELECT record FROM record WHERE place > ? AND place <= ? ORDER BY place LIMIT ?"
_NEXT_RUN: Final = "SELECT min(word) >> 33 FROM finder WHERE word >= ?"
_RUN_LIVES: Final = """
    SELECT 1 FROM finder JOIN record USING (place) WHERE word >= ? AND word < ? LIMIT 1
"""


class Bounds(msgspec.Struct, frozen=True):
    """How far a stream may go: up to `stable` and what a receipt `proven`s, as far as the finder has `indexed` it.

    `head` is the seq of its last record, `trimmed` of the last that is gone.
    """

    head: int
    stable: int
    proven: int
    indexed: int
    trimmed: int


class Boot(msgspec.Struct, frozen=True):
    """The machine since it was started: what it wrote from `since_ms` after that is young, whatever its clock said."""

    id: str
    since_ms: int


def trimmable(bounds: Bounds, stretches: Iterable[Stretch]) -> int:
    """The last seq that may be given up, at least `trimmed`. What waits or is disputed holds all behind it too."""
    held = next((stretch.first for stretch in stretches if stretch.state not in _DONE), bounds.head)
    return max(bounds.trimmed, min(bounds.stable, bounds.proven, bounds.indexed, held - 1))


class Trimmer:
    """Works inside the writer's transactions, a step at a time."""

    def __init__(self) -> None:
        self._run = 0

    def step(self, connection: sqlite3.Connection, before: str, boot: Boot | None = None) -> int:
        """Gives up at most STEP records that are older than `before` (RFC 3339) and not young in `boot`; how many."""
        self._forget_words(connection)
        for *columns, stable, trimmed, indexed in connection.execute(_STREAMS).fetchall():
            stream = Stream(*columns)
            receipt = receipt_of(connection, stream.no)
            proven = receipt.custody.seq if receipt else 0
            bounds = Bounds(stream.head, stable, proven, indexed, trimmed)
            upto = trimmable(bounds, stretches_of(connection, stream))
            if count := _give_up(connection, stream.no, trimmed, upto, before, boot):
                return count
        return 0

    def _forget_words(self, connection: sqlite3.Connection) -> None:
        """Runs of the finder of which no record is left; each is looked at once in a round."""
        for _ in range(RUNS_IN_A_STEP):
            (run,) = connection.execute(_NEXT_RUN, (self._run << 33,)).fetchone()
            if run is None:
                self._run = 0
                return
            words = run << 33, (run + 1) << 33
            if connection.execute(_RUN_LIVES, words).fetchone() is None:
                connection.execute("DELETE FROM finder WHERE word >= ? AND word < ?", words)
            self._run = run + 1


def _give_up(connection: sqlite3.Connection, no: int, trimmed: int, upto: int, before: str, boot: Boot | None) -> int:
    first = max(trimmed, 1)
    rows = connection.execute(_RECORDS, (place_of(no, first), place_of(no, upto), STEP)).fetchall()
    last = first
    for (record,) in rows:
        if _is_young(decode(record), before, boot):
            break
        last += 1
    if last == first:
        return 0
    digest = hash_at(connection, place_of(no, last))
    connection.execute("DELETE FROM record WHERE place > ? AND place <= ?", (place_of(no, first), place_of(no, last)))
    connection.execute("UPDATE stream SET trimmed = ?, trimmed_hash = ? WHERE no = ?", (last, digest, no))
    return last - first


def _is_young(entry: Entry, before: str, boot: Boot | None) -> bool:
    clock = entry.clock
    return entry.occurred_at >= before or (
        boot is not None and clock.boot_id == boot.id and clock.monotonic_ms >= boot.since_ms
    )
