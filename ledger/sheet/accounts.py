"""The accounts of a batch: what is on them, and what is promised of it."""

from collections.abc import Iterable

import msgspec

from ledger.points.standing import Standing
from ledger.sheet.source import Known, Source


class Accounts:
    """Belongs to one sheet. Whoever is asked for here is held until the commit."""

    def __init__(self, source: Source) -> None:
        self._standings = Known(source.standings)

    @property
    def changed(self) -> dict[int, Standing]:
        return self._standings.changed

    def warm(self, accounts: Iterable[int]) -> None:
        self._standings.warm(accounts)

    def put(self, standing: Standing) -> None:
        self._standings.put(standing.account, standing)

    def get(self, account: int) -> Standing | None:
        """As the books list it, also where it was merged into another."""
        return self._standings.get(account)

    def standing(self, account: int) -> Standing:
        """Of the account, or of the one that it was merged into."""
        found = self.get(account) or Standing(account)
        return found if found.merged_into is None else self.standing(found.merged_into)

    def move(self, account: int, *, balance: int = 0, reserved: int = 0) -> None:
        """Points with sign."""
        before = self.standing(account)
        told = {"balance": before.balance + balance, "reserved": before.reserved + reserved}
        self.put(msgspec.structs.replace(before, **told))
