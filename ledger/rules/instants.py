"""When a sale was, as far as the ledger believes what it is told; without I/O. All times in ms since 1970.

A till's wall clock may be ten days wrong; what has passed since it last spoke with the ledger is still known, for it
counts the time since its machine started. Only without that is its clock believed, within what is possible.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from offline_queue.entry import Entry, Kind

EARLIEST: Final = 1_735_689_600_000
"""The year 2025 began: no till recorded a sale before. A machine whose battery is empty starts decades earlier."""


class Anchor(msgspec.Struct, frozen=True, gc=False):
    """A boot's clock said `monotonic_ms` when the ledger's said `ledger_ms`."""

    monotonic_ms: int
    ledger_ms: int


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A sale was `at`, and the till's clock was `off_ms` from that: above zero it was fast."""

    at: int
    off_ms: int = 0


@lru_cache(maxsize=2048)
def moment(told: str | None) -> int | None:
    """An RFC 3339 time; None for what is none. Tills name the ledger's last time in each of many records."""
    try:
        time = datetime.fromisoformat(told or "")
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        return max(0, round(time.timestamp() * 1000))
    except ValueError:
        return None


def effective(told: str, now: int) -> int:
    """As told, never later than `now`; `now` for what is no time."""
    found = moment(told)
    return now if found is None else min(found, now)


def instant(entry: Entry, anchor: Anchor | None, now: int, tolerance_ms: int) -> Instant:
    """When the sale was, heard of at `now`: never before the till's last word with the ledger, nor in the future.

    Where nothing but a clock that cannot be right tells, points are earned as late and used as early as possible: the
    customer must not lose any by it.
    """
    wall = moment(entry.occurred_at)
    if entry.kind is Kind.CLAIM or wall is None:  # a claim's time is its sale's, its clock that of another till
        return Instant(now if wall is None or wall < EARLIEST else min(wall, now))
    heard = moment(entry.clock.ledger_time)
    first = min(heard or EARLIEST, now)
    if anchor is not None:
        at = min(max(anchor.ledger_ms + entry.clock.monotonic_ms - anchor.monotonic_ms, first), now)
        return Instant(at, wall - at)
    at = min(max(wall, first), now)
    if abs(wall - at) <= tolerance_ms:
        return Instant(at, wall - at)
    at = now if entry.kind is not Kind.REDEEM or heard is None else first
    return Instant(at, wall - at)


def length(ms: int) -> str:
    """In the largest unit that fits twice."""
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if ms >= 2 * size:
            return f"{round(ms / size)} {unit}"
    return f"{round(ms / 1000)} seconds"
