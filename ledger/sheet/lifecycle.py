"""What happens to cards within a batch: their listings, the accounts behind them, and the records that waited."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ledger.facts.case import Case, Decision, Item
from ledger.facts.codes import Code
from ledger.facts.policy import Policy
from ledger.points.standing import Standing
from ledger.points.usable import measured
from ledger.rules import cards
from ledger.rules.cards import Plan
from ledger.rules.own_entries import OFFICE, own_entry
from ledger.rules.records import waits_for_card, waits_for_unblocking
from ledger.sheet.source import Posting, Ruling, Source
from offline_queue.entry import MAX_AUTHOR, Card, Correction, Entry, Happening, Kind, State, encode, masked

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet

ANYTHING = frozenset(Happening)


class Lifecycle:
    """Works on one sheet; `now` in ms since 1970."""

    def __init__(self, sheet: "Sheet", source: Source, policy: Policy, now: int) -> None:
        self._sheet, self._source, self._policy, self._now = sheet, source, policy, now

    def expect(self, entries: Sequence[Entry]) -> None:
        """The cards of these events, as they are now and until the commit."""
        events = [entry for entry in entries if entry.kind is Kind.CARD_EVENT]
        named = [entry.card.number for entry in events if entry.card]
        named += [entry.event.successor for entry in events if entry.event and entry.event.successor]
        self._sheet.cards.hold(named)

    def objection(self, entry: Entry, sender: str) -> str | None:
        if entry.kind is not Kind.CARD_EVENT:
            return None
        allowed = ANYTHING if sender == OFFICE else self._policy.events_from_tills
        return cards.objection(entry, self._sheet.cards.find, allowed)

    def happen(self, case: Case) -> list[Item]:
        """Does what the event says; returns the records that waited for it."""
        number, event = case.entry.card, case.entry.event
        if number is None or event is None:
            return []
        plan = cards.plan(number.number, event, self._sheet.cards.find)
        for card, listing in plan.listings.items():
            self._sheet.cards.put(card, listing)
        if plan.opens is not None:
            self._sheet.open(plan.opens)
        if plan.merges is not None:
            self._merge(case, *plan.merges)
        return self._woken(plan)

    def _woken(self, plan: Plan) -> list[Item]:
        reasons = [wait(number) for number in plan.wakes for wait in (waits_for_card, waits_for_unblocking)]
        return [item for reason in reasons for item in self._sheet.waiting.wake(reason)]

    def _merge(self, case: Case, giver: int, taker: int) -> None:
        """Empties an account into another: its points by a pair of entries, its lots, promises and cards with them."""
        sheet = self._sheet
        sheet.accounts.warm((giver, taker))
        before, after = sheet.accounts.standing(giver), sheet.accounts.standing(taker)
        if before.account == after.account:
            return  # whatever the cards say, an account cannot be emptied into itself
        shelf, _ = sheet.shelving.shelf(after.account), sheet.shelving.shelf(before.account)
        self._source.move_account(before.account, after.account)
        sheet.cards.rehome(before.account, after.account)
        sheet.shelving.join(before.account, after.account, self._told(case, before, after))
        sheet.accounts.put(Standing(before.account, merged_into=after.account))
        joined = msgspec.structs.replace(
            after, balance=after.balance + before.balance, reserved=after.reserved + before.reserved
        )
        sheet.accounts.put(measured(joined, shelf.lots.values()))

    def _told(self, case: Case, giver: Standing, taker: Standing) -> int:
        """The pair of entries that explains it; the record of the second."""
        self._enter(case, giver.account, -giver.balance, "out")
        return self._enter(case, taker.account, giver.balance, "in")

    def _enter(self, case: Case, account: int, points: int, side: str) -> int:
        number, event = case.entry.card, case.entry.event
        other = masked(event.successor or "") if event else ""
        reason = f"{event.happening if event else ''} of {masked(number.number if number else '')}, {other}"
        entry = own_entry(
            Kind.CORRECTION,
            f"{cards.MERGERS}{case.record}:{side}",
            self._now,
            card=Card(number.number) if number else None,
            correction=Correction((case.entry.operator or case.sender)[:MAX_AUTHOR], reason, points=points),
        )
        item = self._source.enter(encode(entry))
        self._sheet.postings.append(Posting(item.record, entry.id, account, points, None, Code.POSTED, self._now))
        self._sheet.rulings.append(Ruling(item, Decision(State.POSTED, Code.POSTED, points, points)))
        return item.record
