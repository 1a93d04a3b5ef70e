"""What checks of the books have found, and what has left them because it expired."""

import msgspec


class Verification(msgspec.Struct, frozen=True):
    """The invariants, computed again from the books; `liability` is what the programme owes all its customers.

    Of it are `usable` now, less all overdrafts, `inactive` yet, or `expired` and not written off.
    """

    ok: bool
    records: int
    streams: int
    accounts: int
    postings: int
    liability: int
    problems: list[str]
    usable: int = 0
    inactive: int = 0
    expired: int = 0


class Cleared(msgspec.Struct, frozen=True):
    """Expired `points` of so many `lots` have left so many accounts; `following` is where to go on, None at the end."""

    accounts: int
    lots: int
    points: int
    following: tuple[int, int] | None = None

    def plus(self, later: "Cleared") -> "Cleared":
        """Both together; what follows is what follows the later one."""
        accounts, lots, points = self.accounts + later.accounts, self.lots + later.lots, self.points + later.points
        return Cleared(accounts, lots, points, later.following)
