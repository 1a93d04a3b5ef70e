"""Points as lots: each award keeps its sale time and its dates, the oldest are used first, every change can be undone.

A shelf is one account's lots in memory. An overdraft is a lot below zero under the redemption that made it, so the
balance is the sum of the lots whatever happens. Points in hand repay it at once, except those that had expired before
it was made: beside a lot below zero lie only such.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec


class Dates(msgspec.Struct, frozen=True, gc=False):
    """Points may be used from `active_at` (None: at once) until `expires_at` (None: for ever), which is exclusive.

    Both in ms since 1970.
    """

    active_at: int | None = None
    expires_at: int | None = None


ALWAYS: Final = Dates()


class Lot(msgspec.Struct, gc=False):
    """`record` that made it (its identity), `points` then and `remaining` now; times in ms since 1970.

    `written_off` points were taken off the books because they had expired. The dates are those of `Dates`.
    """

    record: int
    earned_at: int
    points: int
    remaining: int
    active_at: int | None = None
    expires_at: int | None = None
    written_off: int = 0

    def expired(self, at: int) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def inactive(self, at: int) -> bool:
        return self.active_at is not None and at < self.active_at

    def usable(self, at: int) -> bool:
        return not self.expired(at) and not self.inactive(at)


class Shelf:
    """The lots of one account that matter now, and what was done to them since they were loaded.

    `made` are new lots; `moves` maps (moving record, lot) to the points put on the lot, negative when taken.
    """

    def __init__(self) -> None:
        self.lots: dict[int, Lot] = {}
        self.made: list[Lot] = []
        self.moves: dict[tuple[int, int], int] = {}
        self.complete = False
        self._below: set[int] = set()

    def load(self, lots: Iterable[Lot]) -> None:
        """Lots of the books; those already here are newer and stay."""
        for lot in lots:
            self._note(self.lots.setdefault(lot.record, lot))

    def receive(self, lot: Lot) -> None:
        """A new lot that met no debt."""
        self._make(lot)

    def award(self, record: int, points: int, earned_at: int, dates: Dates = ALWAYS) -> None:
        """Points that are not active yet repay an overdraft too: a debt never waits beside them."""
        self._make(Lot(record, earned_at, points, points, dates.active_at, dates.expires_at))
        self._repay(record)

    def take(self, record: int, points: int, at: int, *, expired_too: bool = False) -> None:
        """Uses the oldest points of those usable at `at`, then those that were still inactive; the rest is a debt.

        With `expired_too` points that had expired by then are used before there is one, those that expired last first.
        What came back for this repays older debts before.
        """
        self._repay(record)
        for lot in self._in_order(at, expired_too=expired_too):
            points -= self._move(record, lot, -min(points, lot.remaining))
        if points:
            self._make(Lot(record, at, -points, -points))

    def undo_award(self, record: int, points: int, at: int, *awards: int, expired_too: bool = False) -> None:
        """Takes an award back: from its own lots as far as those are left, expired or not, then like a redemption."""
        for own in [self.lots[award] for award in awards if award in self.lots]:
            points -= self._move(record, own, -min(points, max(0, own.remaining)))
        self.take(record, points, at, expired_too=expired_too)

    def undo_take(
        self,
        record: int,
        points: int,
        at: int,
        takers: Sequence[int],
        taken: Mapping[int, int],
        dates: Dates = ALWAYS,
    ) -> None:
        """Puts points back where a redemption had them from, with their old dates, the youngest first.

        `takers` are its record and those that corrected it; `taken` maps each lot to what they, less earlier reversals,
        still hold of it. Their own overdraft is settled first; what later awards have repaid of that comes back as a
        lot of this record, with these `dates`.
        """
        for debt in [self.lots[taker] for taker in takers if taker in self.lots]:
            points -= self._move(record, debt, min(points, max(0, -debt.remaining)))
        for lot in sorted((self.lots[number] for number in taken), key=_age, reverse=True):
            points -= self._move(record, lot, min(points, max(taken[lot.record], 0)))
        if points:
            self._make(Lot(record, at, points, points, dates.active_at, dates.expires_at))
        self._repay(record)

    def write_off(self, record: int, lot: int, points: int) -> None:
        """Takes expired points off the lot; below zero: puts them back for what is about to take them."""
        held = self.lots[lot]
        held.written_off += points
        self._move(record, held, -points)

    def absorb(self, other: "Shelf", record: int) -> None:
        """Takes another shelf's lots over as they are; what is overdrawn on either is repaid, under this record."""
        self.load(other.lots.values())
        self.made += other.made
        self.moves.update(other.moves)
        self._repay(record)

    def _above(self) -> list[Lot]:
        return sorted((lot for lot in self.lots.values() if lot.remaining > 0), key=_age)

    def _in_order(self, at: int, *, expired_too: bool) -> list[Lot]:
        above = self._above()
        alive = sorted((lot for lot in above if not lot.expired(at)), key=lambda lot: lot.inactive(at))
        gone = sorted((lot for lot in above if lot.expired(at)), key=_end, reverse=True)
        return [*alive, *(gone if expired_too else ())]

    def _repay(self, record: int) -> None:
        for debt in sorted((self.lots[number] for number in self._below), key=_age):
            for lot in self._above():
                if lot.expired(debt.earned_at):
                    continue
                points = min(lot.remaining, -debt.remaining)
                self._move(record, lot, -points)
                self._move(record, debt, points)

    def _make(self, lot: Lot) -> None:
        self.lots[lot.record] = lot
        self.made.append(lot)
        self._note(lot)

    def _note(self, lot: Lot) -> None:
        (self._below.add if lot.remaining < 0 else self._below.discard)(lot.record)

    def _move(self, record: int, lot: Lot, points: int) -> int:
        """Returns the points moved, without their sign."""
        if points:
            lot.remaining += points
            self._note(lot)
            key = (record, lot.record)
            self.moves[key] = self.moves.get(key, 0) + points
        return abs(points)


def _age(lot: Lot) -> tuple[int, int]:
    return (lot.earned_at, lot.record)


def _end(lot: Lot) -> int:
    return lot.expires_at or 0
