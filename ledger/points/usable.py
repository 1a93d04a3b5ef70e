"""Which of an account's points may be used at a moment: a view on its lots, so no clock has to run for it.

The balance counts all lots for ever; those that have expired or are not active yet are counted apart.
All times in ms since 1970.
"""

from collections.abc import Iterable

import msgspec

from ledger.points.lots import Lot
from ledger.points.standing import Standing


class Held(msgspec.Struct, frozen=True, gc=False):
    """The open lots of an account at a moment, in points: `usable` less any overdraft, and the next `expiring`.

    `expiring` are pairs of a moment and the points that may be used until then, the soonest first.
    """

    usable: int
    inactive: int
    expired: int
    expiring: tuple[tuple[int, int], ...] = ()


def held(lots: Iterable[Lot], at: int, expiries: int = 0) -> Held:
    """With the first so many expiries after `at`; points that are not active by then are among them.

    A lot below zero has no dates, so what is overdrawn counts as usable.
    """
    usable = inactive = expired = 0
    ends: dict[int, int] = {}
    for lot in lots:
        if lot.usable(at):
            usable += lot.remaining
        elif lot.expired(at):
            expired += lot.remaining
        else:
            inactive += lot.remaining
        if lot.remaining > 0 and lot.expires_at is not None and not lot.expired(at):
            ends[lot.expires_at] = ends.get(lot.expires_at, 0) + lot.remaining
    return Held(usable, inactive, expired, tuple(sorted(ends.items())[:expiries]))


def always_usable(standing: Standing, at: int) -> bool:
    """Whether all points of the account may be used at that moment, without a look at its lots."""
    return standing.usable_from <= at and (standing.usable_until is None or at < standing.usable_until)


def window(lots: Iterable[Lot]) -> tuple[int, int | None]:
    """From when until when (None: for ever) none of these lots waits or is expired."""
    above = [lot for lot in lots if lot.remaining > 0]
    ends = [lot.expires_at for lot in above if lot.expires_at is not None]
    return max((lot.active_at or 0 for lot in above), default=0), min(ends, default=None)


def narrowed(standing: Standing, lots: Iterable[Lot]) -> Standing:
    """The account when these lots lie in it too."""
    start, end = window(lots)
    if start <= standing.usable_from and end is None:
        return standing
    ends = [moment for moment in (standing.usable_until, end) if moment is not None]
    return msgspec.structs.replace(
        standing, usable_from=max(standing.usable_from, start), usable_until=min(ends, default=None)
    )


def measured(standing: Standing, lots: Iterable[Lot]) -> Standing:
    """The account when these are all its open lots."""
    start, end = window(lots)
    return msgspec.structs.replace(standing, usable_from=start, usable_until=end)
