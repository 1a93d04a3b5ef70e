"""Expired points leave the books long after their end, and come back for what was sold before it; without I/O.

Neither is needed for what customers may use: that is a view (points/usable.py). It keeps the programme's liability
true. Each change is an entry of the office that names the award and says why, so the log explains every point.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

import msgspec

from ledger.points.lots import Lot
from ledger.rules.own_entries import OFFICE, own_entry
from ledger.rules.records import bounded
from offline_queue.entry import Correction, Entry, Kind

DAY_MS: Final = 86_400_000
KEYS: Final = "expiry:"
"""How the idempotency keys of these entries begin."""


class WriteOff(msgspec.Struct, frozen=True):
    """`points` that leave the account's lot that the entry `award` made in `record`; below zero they come back."""

    account: int
    record: int
    award: str
    points: int
    reason: str


def overdue(lots: Sequence[Lot], cutoff: int, reserved: int) -> list[tuple[Lot, int]]:
    """What may leave the books: points that had expired at the cutoff, the oldest end first.

    Points that are promised to a till stay, however old, for the promise may be older than their end: the points that
    were earned since are not to pay for it. Those that ended last are kept.
    """
    gone = [lot for lot in lots if lot.remaining > 0 and lot.expired(cutoff)]
    free = min(sum(lot.remaining for lot in lots), sum(lot.remaining for lot in gone)) - reserved
    found = []
    for lot in sorted(gone, key=_end):
        points = min(lot.remaining, max(0, free))
        if points:
            found.append((lot, points))
            free -= points
    return found


def cutoff(now: int, after_days: int) -> int:
    """Points that expired before this moment (ms since 1970) are written off at `now`."""
    return now - after_days * DAY_MS


def written_off(
    account: int, found: Sequence[tuple[Lot, int]], makers: Mapping[int, str], zone: tzinfo
) -> list[WriteOff]:
    """With the last day on which the points could be used."""
    return [
        WriteOff(account, lot.record, makers[lot.record], points, f"expired after {_last_day(lot, zone)}")
        for lot, points in found
    ]


def wanted_back(lots: Sequence[Lot], own: int | None, points: int, free: int) -> list[tuple[Lot, int]]:
    """What of these lots an entry that takes so many points needs back, when `free` ones are there for it.

    An award that is taken back (`own`) gives what is left of itself and what was written off of it, and costs others
    nothing for that.
    """
    found = []
    for lot in lots:
        there = lot.remaining if lot.record == own else free
        back = min(lot.written_off, max(0, points - there))
        free += back
        if back:
            found.append((lot, back))
    return found


def put_back(account: int, found: Sequence[tuple[Lot, int]], makers: Mapping[int, str], entry: Entry) -> list[WriteOff]:
    """For an entry that was made before the points expired, and heard of after they had been written off."""
    redeemed = entry.kind is Kind.REDEEM
    reason = f"entry {bounded(entry.id)} {'was made before they expired' if redeemed else 'takes this award back'}"
    return [WriteOff(account, lot.record, makers[lot.record], -points, reason) for lot, points in found]


def entry_of(write_off: WriteOff, now: int, before: int) -> Entry:
    """The office's entry, with so many of its own `before`: what happens to one award in one moment is told apart."""
    award = bounded(write_off.award)
    correction = Correction(OFFICE, write_off.reason, of=award, points=-write_off.points)
    return own_entry(Kind.CORRECTION, f"{KEYS}{award}:{now}:{before}", now, correction=correction)


def is_write_off(entry: Entry) -> bool:
    """Whether expired points leave the books by this entry, or come back."""
    return entry.kind is Kind.CORRECTION and entry.terminal == OFFICE and entry.key.startswith(KEYS)


def _last_day(lot: Lot, zone: tzinfo) -> str:
    last = datetime.fromtimestamp(((lot.expires_at or 0) - 1) / 1000, UTC)
    return last.astimezone(zone).date().isoformat()


def _end(lot: Lot) -> tuple[int, int]:
    return (lot.expires_at or 0, lot.record)
