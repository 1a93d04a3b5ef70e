"""The arithmetic of the last days: buckets of five minutes, added to each other in any order. Pure.

A bucket is known by the wall clock's time at its start. That clock may jump; then two stretches of the till's life
share a bucket, or a bucket lies in another year: sums stay right, and nothing grows.
"""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

STEP_S: Final = 300
DAYS: Final = 7
CAPACITY: Final = DAYS * 86_400 // STEP_S
"""2016 buckets, in memory a megabyte at most."""

Count = Annotated[int, msgspec.Meta(ge=0)]


class Reads(msgspec.Struct, frozen=True, array_like=True):
    """Cards at one reader: read, broken off (present it again), and unreadable (something is wrong with the card)."""

    good: Count = 0
    failed: Count = 0
    unreadable: Count = 0

    def __add__(self, other: "Reads") -> "Reads":
        return Reads(self.good + other.good, self.failed + other.failed, self.unreadable + other.unreadable)


class Waits(msgspec.Struct, frozen=True, array_like=True):
    """`count` entries that the ledger has taken, their waits' sum and the longest of them, in milliseconds."""

    count: Count = 0
    sum_ms: Count = 0
    most_ms: Count = 0

    def __add__(self, other: "Waits") -> "Waits":
        return Waits(self.count + other.count, self.sum_ms + other.sum_ms, max(self.most_ms, other.most_ms))


class Bucket(msgspec.Struct, frozen=True):
    """`start` in Unix seconds; `queue` the most entries that waited for the ledger at once; `readers` by name."""

    start: int
    queue: Count = 0
    waits: Waits = Waits()
    readers: dict[str, Reads] = {}


def start_of(unix_s: float, step_s: int = STEP_S) -> int:
    """The start of the bucket that holds this moment."""
    return int(unix_s // step_s) * step_s


def added(one: Bucket, other: Bucket) -> Bucket:
    """Both, at the start of `one`."""
    names = one.readers | other.readers
    readers = {name: one.readers.get(name, Reads()) + other.readers.get(name, Reads()) for name in names}
    return Bucket(one.start, max(one.queue, other.queue), one.waits + other.waits, readers)


def put(kept: dict[int, Bucket], more: Bucket, capacity: int = CAPACITY) -> None:
    """Adds one to `kept`, by its start; those that came first go first, whatever the clock said then."""
    known = kept.get(more.start)
    kept[more.start] = more if known is None else added(known, more)
    while len(kept) > capacity:
        del kept[next(iter(kept))]


def window(kept: Iterable[Bucket], now_s: float, span_s: int, step_s: int) -> list[Bucket]:
    """The last `span_s` seconds in buckets of `step_s`, the oldest first; times without a till are left out."""
    newest, found = start_of(now_s, step_s), dict[int, Bucket]()
    for bucket in kept:
        start = start_of(bucket.start, step_s)
        if newest - span_s < start <= newest:
            found[start] = added(found.get(start, Bucket(start)), bucket)
    return [found[start] for start in sorted(found)]
