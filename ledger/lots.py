"""Points as lots: each award keeps its sale time, the oldest are used first, and every change can be undone.

A shelf is one account's lots in memory. An overdraft is a lot below zero under the redemption that made it, so the
balance is the sum of the lots whatever happens; points in hand repay it at once, so lots above and below zero
never lie on one shelf together.
"""

from collections.abc import Iterable, Mapping

import msgspec


class Lot(msgspec.Struct, gc=False):
    """`record` that made it (its identity), `points` then and `remaining` now; times in ms since 1970.

    It may be used from `active_at` (None: at once) until `expires_at` (None: for ever), which is not in it any more.
    `written_off` points were taken off the books because they had expired.
    """

    record: int
    earned_at: int
    points: int
    remaining: int
    active_at: int | None = None
    expires_at: int | None = None
    written_off: int = 0


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

    def award(self, record: int, points: int, earned_at: int) -> None:
        self._make(Lot(record, earned_at, points, points))
        self._repay(record)

    def take(self, record: int, points: int, taken_at: int) -> None:
        """Uses the oldest points; what is missing becomes a lot below zero."""
        for lot in self._above():
            if not points:
                return
            points -= self._move(record, lot, -min(points, lot.remaining))
        if points:
            self._make(Lot(record, taken_at, -points, -points))

    def undo_award(self, record: int, points: int, taken_at: int, award: int) -> None:
        """Takes an award back: from its own lot as far as that is left, then like a redemption."""
        own = self.lots.get(award)
        if own is not None and own.remaining > 0:
            points -= self._move(record, own, -min(points, own.remaining))
        self.take(record, points, taken_at)

    def undo_take(self, record: int, points: int, at: int, redemption: int, taken: Mapping[int, int]) -> None:
        """Puts points back where a redemption had them from, the youngest first.

        `taken` maps each lot to what that redemption, less earlier reversals of it, still holds of it. Its own
        overdraft is settled first; what later awards have repaid of that comes back as a lot of this record.
        """
        debt = self.lots.get(redemption)
        if debt is not None and debt.remaining < 0:
            points -= self._move(record, debt, min(points, -debt.remaining))
        for lot in sorted((self.lots[number] for number in taken), key=_age, reverse=True):
            points -= self._move(record, lot, min(points, max(taken[lot.record], 0)))
        if points:
            self._make(Lot(record, at, points, points))
        self._repay(record)

    def _above(self) -> list[Lot]:
        return sorted((lot for lot in self.lots.values() if lot.remaining > 0), key=_age)

    def _repay(self, record: int) -> None:
        for debt in sorted((self.lots[number] for number in self._below), key=_age):
            for lot in self._above():
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
