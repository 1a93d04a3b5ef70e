"""Where a key or an id is in the journal.

An index entry for every append would dirty a second page in every commit. So the newest records, the tail,
are searched as bytes, and every RUN records their words go to the `finder` table together, as one more sorted
run at its end: written once and in order.
"""

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Final, Literal

import msgspec

from offline_queue.entry import LANE_OF, Entry, decode
from offline_queue.seen import Seen, word_of

SEQ_BITS: Final = 40
SEQ_MASK: Final = (1 << SEQ_BITS) - 1
RUN: Final = 512
"""Records in a run: with more the tail takes longer to search, with fewer there are more runs to look into."""
CHUNK: Final = 256
"""Rows in one statement."""

Field = Literal["key", "id"]
FIELDS: Final[tuple[Field, ...]] = ("key", "id")

_TAIL = """
    SELECT r.place, r.record FROM stream s
    JOIN record r ON r.place > (s.no << 40 | s.indexed) AND r.place <= (s.no << 40 | 0xFFFFFFFFFF)
    WHERE (s.last IS NULL OR s.indexed < s.last)
"""
_IN_TAIL = _TAIL + " AND instr(r.record, ?) > 0"
# A finder word is run, field (one bit: 0 key, 1 id) and the 32 bits of word_of().
_IN_RUNS = """
    WITH RECURSIVE run(n) AS (
        SELECT max(word) >> 33 FROM finder
        UNION ALL SELECT n - 1 FROM run WHERE n > (SELECT min(word) >> 33 FROM finder)
    )
    SELECT r.place, r.record FROM run
    CROSS JOIN finder f ON f.word = (run.n << 33 | (? << 32) | ?)
    JOIN record r ON r.place = f.place
"""
_TAIL_IS_INDEXED = """
    UPDATE stream SET indexed = coalesce(last, (
        SELECT max(place) & 0xFFFFFFFFFF FROM record WHERE place >= no << 40 AND place < (no + 1) << 40
    ))
    WHERE last IS NULL OR indexed < last
"""


def place_of(no: int, seq: int) -> int:
    """The key of a record: a stream is one range of the table, and needs no index."""
    return no << SEQ_BITS | seq


def find(connection: sqlite3.Connection, field: Field, value: str) -> tuple[int, Entry] | None:
    """Place and entry of the record whose `field` is `value`, or None."""
    needle = f'"{field}":'.encode() + msgspec.json.encode(value)
    for place, record in _candidates(connection, field, value, needle):
        entry = decode(record)
        if getattr(entry, field) == value and entry.kind in LANE_OF:
            return place, entry
    return None


def _candidates(connection: sqlite3.Connection, field: Field, value: str, needle: bytes) -> Iterator[tuple[int, bytes]]:
    yield from connection.execute(_IN_TAIL, (needle,)).fetchall()
    yield from connection.execute(_IN_RUNS, (FIELDS.index(field), word_of(value))).fetchall()


class Finder:
    """The writer's side: what the tail holds, and how it becomes a run."""

    def __init__(self, connection: sqlite3.Connection, seen: Seen) -> None:
        self._connection = connection
        (newest,) = connection.execute("SELECT max(word) >> 33 FROM finder").fetchone()
        self._next_run = 0 if newest is None else newest + 1
        for (word,) in connection.execute("SELECT word & 0xFFFFFFFF FROM finder WHERE (word >> 32 & 1) = 0"):
            seen.add(word)
        self.tail: list[tuple[int, int, str]] = []
        """Place, word of the key and id of every record that is in no run yet."""
        for place, record in connection.execute(_TAIL):
            entry = decode(record)
            if entry.kind in LANE_OF:
                word = word_of(entry.key)
                self.tail.append((place, word, entry.id))
                seen.add(word)

    def index(self) -> None:
        """Turns the tail into a run, in a transaction of its own. Raises sqlite3.Error, and then nothing changed."""
        words = self._words()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(words), CHUNK):
                chunk = words[start : start + CHUNK]
                self._connection.execute(_insertion(len(chunk)), list(chain.from_iterable(chunk)))
            self._connection.execute(_TAIL_IS_INDEXED)
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._next_run += 1
        self.tail.clear()

    def _words(self) -> list[tuple[int, int]]:
        keys, ids = self._next_run << 33, self._next_run << 33 | 1 << 32
        by_key = [(keys | word, place) for place, word, _ in self.tail]
        by_id = [(ids | word_of(identity), place) for place, _, identity in self.tail]
        return sorted(by_key) + sorted(by_id)


@lru_cache(maxsize=2)
def _insertion(rows: int) -> str:
    return "INSERT INTO finder VALUES" + ", ".join(["(?, ?)"] * rows)
