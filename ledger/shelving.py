"""What a batch does to lots: each effect on a balance is the same effect on the account's shelf."""

from ledger.facts import Case, Standing
from ledger.lots import Shelf
from ledger.source import Source
from offline_queue.entry import Kind


class Shelving:
    """The shelves that one batch touches, by account; `now` in ms since 1970."""

    def __init__(self, source: Source, now: int) -> None:
        self._source, self._now = source, now
        self.shelves: dict[int, Shelf] = {}
        self._reversals_here: dict[int, list[int]] = {}

    def shelve(self, case: Case, effect: int, standing: Standing) -> None:
        """Puts the effect of a posted entry on the lots of its account, as that stood before."""
        record, original, account = case.record, case.original, standing.account
        if effect == 0:
            return
        if case.entry.kind is Kind.EARN:
            shelf = self._shelf(account, complete=standing.balance < 0)
            shelf.award(record, effect, case.at)
        elif original is None:
            self._shelf(account).take(record, -effect, self._now)
        elif effect < 0:
            self._shelf(account).undo_award(record, -effect, self._now, original.record)
        else:
            shelf = self._shelf(account)
            shelf.undo_take(record, effect, self._now, original.record, self._taken(shelf, account, original.record))

    def reverses(self, record: int, original: int) -> None:
        """A record of this batch has taken something of that posting back."""
        self._reversals_here.setdefault(original, []).append(record)

    def _shelf(self, account: int, *, complete: bool = True) -> Shelf:
        """A shelf that only receives need not know what lies on it."""
        shelf = self.shelves.get(account)
        if shelf is None:
            shelf = self.shelves[account] = Shelf()
        if complete and not shelf.complete:
            shelf.load(self._source.open_lots(account))
            shelf.complete = True
        return shelf

    def _taken(self, shelf: Shelf, account: int, redemption: int) -> dict[int, int]:
        """What a redemption, less its reversals, holds of each lot."""
        moves, lots = self._source.trail(account, redemption)
        shelf.load(lots)
        here = {redemption, *self._reversals_here.get(redemption, ())}
        moves += [(lot, points) for (record, lot), points in shelf.moves.items() if record in here]
        taken: dict[int, int] = {}
        for lot, points in moves:
            taken[lot] = taken.get(lot, 0) - points
        taken.pop(redemption, None)
        return taken
