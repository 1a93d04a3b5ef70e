"""Entries with where they stand: found one by one, listed, and counted."""

import sqlite3
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from typing import Final

from offline_queue.conflicts import needs_people
from offline_queue.entry import State, decode
from offline_queue.finder import SEQ_BITS, SEQ_MASK, Field, find, place_of
from offline_queue.journal import Found, Totals
from offline_queue.journal_marks import verdict_at
from offline_queue.journal_streams import ALL, UNSETTLED, Stream, next_record, streams, stretches_of
from offline_queue.lanes import unguarded
from offline_queue.stretches import Stretch

SETTLED: Final = frozenset({State.POSTED, State.RESOLVED})
"""A stream all of whose entries are in one of these needs no look any more."""
_ONE = "SELECT record, digest, reply, uid, accepted FROM record, stream WHERE place = ? AND no = ?"
_RANGE = "SELECT place, record, digest, reply FROM record WHERE place BETWEEN ? AND ? ORDER BY place"


def find_entry(connection: sqlite3.Connection, field: Field, value: str) -> Found | None:
    """The entry whose `field` is `value`."""
    hit = find(connection, field, value)
    if hit is None:
        return None
    place, entry = hit
    seq = place & SEQ_MASK
    record, digest, reply, uid, accepted = connection.execute(_ONE, (place, place >> SEQ_BITS)).fetchone()
    verdict = verdict_at(connection, place, uid)
    state = verdict.state if verdict else State.ACCEPTED if seq <= accepted else State.QUEUED
    return Found(entry, record, uid, seq, state, verdict, reply, unguarded(digest))


def entries(connection: sqlite3.Connection, states: Collection[State], behind: int) -> Generator[Found]:
    """Entries in any of these states beyond the place `behind`, stream by stream, the oldest first."""
    for stream in streams(connection, ALL if SETTLED.intersection(states) else UNSETTLED):
        if place_of(stream.no, stream.head) <= behind:
            continue
        for stretch in stretches_of(connection, stream):
            if stretch.state in states:
                yield from _of_stretch(connection, stream, stretch, behind)


def disputed(connection: sqlite3.Connection, behind: int) -> Generator[Found]:
    """Entries that people must look at, in the same order; a backlog that waits for its cards is not looked through."""
    for stream in streams(connection, UNSETTLED):
        for stretch in stretches_of(connection, stream):
            if stretch.verdict is not None and needs_people(stretch.verdict):
                yield from _of_stretch(connection, stream, stretch, behind)


def _of_stretch(connection: sqlite3.Connection, stream: Stream, stretch: Stretch, behind: int) -> Iterator[Found]:
    first = max(place_of(stream.no, stretch.first), behind + 1)
    rows = connection.execute(_RANGE, (first, place_of(stream.no, stretch.last)))
    with closing(rows):
        for place, record, digest, reply in rows:
            seq = place & SEQ_MASK
            entry, asked = decode(record), unguarded(digest)
            yield Found(entry, record, stream.uid, seq, stretch.state, stretch.verdict, reply, asked)


def totals(connection: sqlite3.Connection) -> Totals:
    """Looks at streams, not at entries: millions of them cost nothing."""
    counts, conflicts, oldest = dict.fromkeys(State, 0), 0, list[str]()
    (records,) = connection.execute("SELECT coalesce(sum(last), 0) FROM stream WHERE settled").fetchone()
    for stream in streams(connection, UNSETTLED):
        records += stream.head
        found = stretches_of(connection, stream)
        waiting = [stretch.first for stretch in found if stretch.state is State.QUEUED]
        if waiting:
            oldest.append(decode(next_record(connection, place_of(stream.no, waiting[0]))).occurred_at)
        for stretch in found:
            length = stretch.last - stretch.first + 1
            counts[stretch.state] += length
            conflicts += length if stretch.verdict is not None and needs_people(stretch.verdict) else 0
    return Totals(
        queued=counts[State.QUEUED],
        accepted_undecided=counts[State.ACCEPTED],
        conflicts=conflicts,
        oldest_unaccepted_at=min(oldest, default=None),
        records=records,
    )
