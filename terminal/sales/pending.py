"""What the entries of one card come to that the ledger has not decided yet: earned, and spent of what it had. Pure.

A redemption says when it spent, for it may have used points that have ended since. A reversal undoes its original, so
it is dated as that one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from offline_queue.entry import Entry, Kind
from terminal.sales.transaction import effect


@dataclass(frozen=True)
class Spending:
    """`points` that were used at `at_ms` (since 1970); negative where they were given back."""

    points: int
    at_ms: int


@dataclass(frozen=True)
class Move:
    """What one entry does: signed points that were `earned`, or a `spending`."""

    earned: int = 0
    spending: Spending | None = None

    @property
    def points(self) -> int:
        """Its whole effect, signed."""
        return self.earned - (self.spending.points if self.spending else 0)


@dataclass
class Pending:
    """The sum of undecided moves of one card, and how many entries they are."""

    earned: int = 0
    entries: int = 0
    spendings: list[Spending] = field(default_factory=list)

    @property
    def spent(self) -> int:
        return sum(spending.points for spending in self.spendings)

    @property
    def points(self) -> int:
        """Signed, as it will change the balance."""
        return self.earned - self.spent

    @property
    def surely(self) -> int:
        """Signed, without what was only earned here or given back here: the ledger may count it later or not at all."""
        return min(0, self.earned) - max(0, self.spent)

    def add(self, move: Move) -> None:
        self.entries += 1
        self.earned += move.earned
        if move.spending is not None:
            self.spendings.append(move.spending)

    def take(self, move: Move) -> None:
        """The opposite, of a move that was added."""
        self.entries -= 1
        self.earned -= move.earned
        if move.spending is not None:
            self.spendings.remove(move.spending)


def move_of(entry: Entry, original: Entry | None, when: Callable[[Entry], int]) -> Move:
    """What an entry does to its card; `original` is what it reverses, where this till knows it.

    `when` tells the time of an entry in ms since 1970.
    """
    points = effect(entry.kind, entry.points, original.kind if original else None)
    redeemed = original or entry
    return Move(spending=Spending(-points, when(redeemed))) if redeemed.kind is Kind.REDEEM else Move(points)


def sum_of(pending: Pending | None, also: Sequence[Move]) -> Pending:
    """All of it together."""
    total = Pending(pending.earned, pending.entries, [*pending.spendings]) if pending else Pending()
    for move in also:
        total.add(move)
    return total
