"""What a batch does to lots: each effect on a balance is the same effect on the account's shelf."""

from collections.abc import Sequence

import msgspec

from ledger.facts.case import Case, Decision, Original
from ledger.facts.codes import Code
from ledger.facts.rights import Right
from ledger.points.lots import ALWAYS, Dates, Lot, Shelf
from ledger.points.programme import Programme
from ledger.points.standing import Standing
from ledger.points.usable import always_usable, held, measured, narrowed
from ledger.rules.claims import AWARDS
from ledger.rules.corrections import Dispute
from ledger.rules.write_offs import wanted_back
from ledger.sheet.source import Source
from offline_queue.entry import Entry, Kind


class Shelving:
    """The shelves that one batch touches, by account; `now` in ms since 1970."""

    def __init__(self, source: Source, programme: Programme, now: int) -> None:
        self._source, self._programme, self._now = source, programme, now
        self.shelves: dict[int, Shelf] = {}
        self.arrivals: dict[int, Lot] = {}
        """The new lot of each account whose shelf nobody has looked at yet; the first who does finds it there."""
        self._reversals_here: dict[int, list[int]] = {}

    def at(self, standing: Standing, moment: int, own: int | None = None) -> Standing:
        """The account as it is at a moment; all that is left of the lot `own` counts as usable."""
        if always_usable(standing, moment):
            return standing
        lots = [lot for lot in self.shelf(standing.account).lots.values() if lot.record != own]
        found = held(lots, moment)
        return msgspec.structs.replace(standing, idle=found.inactive + found.expired, expired=found.expired)

    def judged(
        self, standing: Standing, entry: Entry, original: Original | None, right: Right | None, sold_at: int
    ) -> Standing:
        """The account as the rules see it: with what may be used at the entry's moment, when it takes points."""
        points = _taken_by(entry, original)
        if not points:
            return standing
        moment, own = _moment(sold_at, right), original.record if original else None
        seen = self.at(standing, moment, own)
        if own is None and seen.available + _promised(right) >= points:
            return seen
        gone = sum(lot.written_off for lot in self._revivable(standing.account, moment, own))
        return msgspec.structs.replace(seen, revivable=gone)

    def revivals(self, case: Case, effect: int, standing: Standing) -> list[tuple[Lot, int]]:
        """Lots and points that are to be put back before an entry is posted, because it came before their end."""
        if effect >= 0 or case.standing is None:
            return []
        moment, own = _moment(case.at, case.right), case.original.record if case.original else None
        return self.missing(standing, -effect, moment, own, _promised(case.right))

    def missing(
        self, standing: Standing, points: int, moment: int, own: int | None, promised: int = 0
    ) -> list[tuple[Lot, int]]:
        """What of the points written off is needed to take so many at a moment, and to repay what is owed before."""
        owed = sum(min(0, lot.remaining) for lot in self.shelf(standing.account).lots.values())
        free = max(owed, self.at(standing, moment, own).available) + promised
        if own is None and free >= points:
            return []
        return wanted_back(self._revivable(standing.account, moment, own, asleep_too=True), own, points, free)

    def shelve(self, case: Case, decision: Decision, standing: Standing) -> None:
        """Puts the effect of a posted entry on the lots of its account, as that stood before."""
        effect, record, original, account = decision.effect, case.record, case.original, standing.account
        if effect == 0:
            return
        moment = _moment(case.at, case.right)
        dates = self._programme.dates(case.entry.rule, moment)
        if case.entry.kind in AWARDS:
            self.shelf(account, complete=may_owe(standing, self._now)).award(record, effect, moment, dates)
        elif original is None:
            late = Code.LOT_EXPIRED in decision.codes
            self.shelf(account).take(record, -effect, moment, expired_too=late)
        elif effect < 0:
            self.shelf(account).undo_award(record, -effect, moment, original.record, *original.corrections)
        else:
            shelf, takers = self.shelf(account), (original.record, *original.corrections)
            shelf.undo_take(record, effect, moment, takers, self._held(shelf, account, takers), dates)

    def arrive(self, standing: Standing, record: int, points: int, earned_at: int, dates: Dates) -> Standing:
        """A new lot of an account that owes nothing; the account as it is then."""
        account = standing.account
        if account in self.arrivals or account in self.shelves:
            self.shelf(account, complete=False).award(record, points, earned_at, dates)
            return self.measured(standing, grown=True)
        lot = self.arrivals[account] = Lot(record, earned_at, points, points, dates.active_at, dates.expires_at)
        return standing if dates is ALWAYS else narrowed(standing, (lot,))

    def made(self) -> list[tuple[int, Lot]]:
        """All new lots, with their accounts."""
        return [*self.arrivals.items()] + [
            (account, lot) for account, shelf in self.shelves.items() for lot in shelf.made
        ]

    def correct(self, record: int, effect: int, standing: Standing, root: Dispute, moment: int) -> None:
        """The difference that a correction makes to an entry of that moment: as if it had been right from then on."""
        account, before, entry = standing.account, [word.record for word in root.words], root.entry
        if effect == 0 or entry is None:
            return
        shelf, own = self.shelf(account), [root.item.record, *before]
        if effect < 0:
            awards = own if root.original is None else [root.original, *own]
            # A person's word that a redemption counts lets expired points pay for it before there is a debt.
            shelf.undo_award(record, -effect, moment, *awards, expired_too=entry.kind is Kind.REDEEM)
            return
        takers = before if entry.kind in AWARDS else own
        held, dates = self._held(shelf, account, takers), self._programme.dates(entry.rule, moment)
        shelf.undo_take(record, effect, moment, takers, held, dates)

    def reverses(self, record: int, original: int) -> None:
        """A record of this batch has taken something of that posting back."""
        self._reversals_here.setdefault(original, []).append(record)

    def measured(self, standing: Standing, *, grown: bool = False) -> Standing:
        """The account with the time in which all its points may be used, now that its lots changed, or just grew.

        A shelf that has only received so far does not tell of the lots behind it: it was measured as it grew.
        """
        shelf = self.shelves.get(standing.account)
        if shelf is None or not (grown or shelf.complete):
            return standing
        return narrowed(standing, shelf.made[-1:]) if grown else measured(standing, shelf.lots.values())

    def join(self, giver: int, taker: int, record: int) -> None:
        """Puts all that lies on one shelf on another; the books move what they hold of it (Source.move_account)."""
        gives = self.shelves[giver]
        self.shelves[giver] = Shelf()
        self.shelves[giver].complete = True
        self.shelves[taker].absorb(gives, record)

    def shelf(self, account: int, *, complete: bool = True) -> Shelf:
        """A shelf that only receives need not know what lies on it."""
        shelf = self.shelves.get(account)
        if shelf is None:
            shelf = self.shelves[account] = Shelf()
            if (lot := self.arrivals.pop(account, None)) is not None:
                shelf.receive(lot)
        if complete and not shelf.complete:
            shelf.load(self._source.open_lots(account))
            shelf.complete = True
        return shelf

    def _revivable(self, account: int, moment: int, own: int | None, *, asleep_too: bool = False) -> list[Lot]:
        """Lots of which points were written off, those usable at that moment, the oldest first; `own` before them.

        With `asleep_too` those that were not active yet come last: they pay before there is a debt.
        """
        shelf = self.shelf(account)
        shelf.load(self._source.written_off(account))

        def pays(lot: Lot) -> bool:
            return lot.record == own or lot.usable(moment) or (asleep_too and not lot.expired(moment))

        gone = [lot for lot in shelf.lots.values() if lot.written_off and pays(lot)]
        return sorted(gone, key=lambda lot: (lot.record != own, lot.inactive(moment), lot.earned_at, lot.record))

    def _held(self, shelf: Shelf, account: int, takers: Sequence[int]) -> dict[int, int]:
        """What redemptions, less their reversals, hold of each lot that is not their own."""
        held: dict[int, int] = {}
        for taker in takers:
            moves, lots = self._source.trail(account, taker)
            shelf.load(lots)
            here = {taker, *self._reversals_here.get(taker, ())}
            moves += [(lot, points) for (record, lot), points in shelf.moves.items() if record in here]
            for lot, points in moves:
                held[lot] = held.get(lot, 0) - points
        return {lot: points for lot, points in held.items() if lot not in takers}


def _taken_by(entry: Entry, original: Original | None) -> int:
    """Points that an entry would take off its account."""
    if entry.kind is Kind.REDEEM:
        return entry.points
    if entry.kind is Kind.REVERSE and original is not None and original.points > 0:
        return entry.points or original.left
    return 0


def _moment(sold_at: int, right: Right | None) -> int:
    """When an entry takes or gives points, in ms since 1970: a right keeps the points alive from its grant on."""
    if right is not None and right.holds_back and right.granted_at is not None:
        return right.granted_at
    return sold_at


def may_owe(standing: Standing, now: int) -> bool:
    """Whether a lot below zero may lie on the shelf: beside it lie only points that have expired."""
    return standing.balance < 0 or (standing.usable_until is not None and standing.usable_until <= now)


def _promised(right: Right | None) -> int:
    """Points held back for the entry itself."""
    return 0 if right is None else right.holds_back
