"""Sales about which there is nothing to decide, new or heard again: most of every backlog. No rule has to look at them.

What is recognised here is what no rule objects to and nobody waits for; everything else is decided the long way, in its
place between these. A test holds both ways to the same books, row by row.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ledger.facts.case import Decision, First, Item, Original
from ledger.facts.codes import Code
from ledger.facts.policy import Policy
from ledger.points.lots import Dates
from ledger.points.standing import Standing
from ledger.rules import grounds
from ledger.rules.sentences import BRANCHED, already, clipped, joined
from ledger.sheet.shelving import may_owe
from ledger.sheet.source import Posting, Ruling
from offline_queue.entry import Entry, Kind, State

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet


@lru_cache(maxsize=1024)
def posted(points: int) -> Decision:
    """The decision on a sale that nothing speaks against."""
    return Decision(State.POSTED, Code.POSTED, points, points, stands=True)


@lru_cache(maxsize=1024)
def heard_again(points: int, branch: Code | None, told: str) -> Decision:
    """The decision on a sale that stands under another record; `branch` as in Item."""
    if branch is None:
        return Decision(State.POSTED, Code.DUPLICATE, asked=points, detail=clipped(told))
    detail = joined((branch, Code.DUPLICATE), (BRANCHED[branch], told))
    return Decision(State.POSTED, branch, asked=points, also=(Code.DUPLICATE,), detail=detail)


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A sale of the till that sent it: what can be said of it before anything is known that this batch may change.

    `dates` of its lot, made `at` its moment (ms since 1970); None where there is more to say about its points or its
    clock, and only a repetition of it is plain.
    """

    at: int
    dates: Dates | None


class PlainSales:
    """Works on one sheet."""

    def __init__(self, sheet: "Sheet", policy: Policy) -> None:
        self._sheet, self._tolerance = sheet, policy.clock_tolerance_ms
        self._programme = policy.programme
        self._candidates: dict[int, Candidate] = {}

    def look_ahead(self, met: Iterable[tuple[Item, Entry]]) -> None:
        """A card that proves itself has to be compared with what it has shown before: it is no candidate."""
        known = self._sheet.roster.knows
        for item, entry in met:
            card = entry.card
            ordinary = entry.kind is Kind.EARN and entry.allowance is None and (card is None or card.proof is None)
            if ordinary and entry.terminal == item.sender and known(item.sender):
                self._candidates[item.record] = self._candidate(item, entry)

    def post(self, item: Item, entry: Entry | Decision) -> bool:
        """Decides the record where there is nothing to decide about it; else False, and nothing has happened."""
        candidate = self._candidates.get(item.record)
        if candidate is None or not isinstance(entry, Entry) or not self._is_untroubled(item, entry):
            return False
        first = self._sheet.keys.firsts.get(entry.key)
        return self._sold(item, entry, candidate) if first is None else self._repeated(item, entry, first)

    def repeats(self, item: Item, entry: Entry) -> bool:
        """Whether it is about to be told that its sale stands, unless this batch changes that: no account is needed."""
        own = item.record in self._candidates and item.sender not in self._sheet.roster.revoked
        first = self._sheet.keys.firsts.get(entry.key) if own else None
        return first is not None and _stands(item, entry, first)

    def _candidate(self, item: Item, entry: Entry) -> Candidate:
        when = self._sheet.cases.instant(item, entry)
        plain = abs(when.off_ms) <= self._tolerance and self._as_the_rules_say(entry)
        return Candidate(when.at, self._programme.dates(entry.rule, when.at) if plain else None)

    def _as_the_rules_say(self, entry: Entry) -> bool:
        if entry.points == 0:
            return False
        if not self._programme.rules:
            return True
        return self._programme.knows(entry) and self._programme.expected(entry) in (None, entry.points)

    def _is_untroubled(self, item: Item, entry: Entry) -> bool:
        """A sale heard for the first time in this place, for which nobody waits."""
        waiting = self._sheet.waiting
        return (
            item.sender not in self._sheet.roster.revoked
            and item.record not in waiting.changed
            and entry.id in waiting.announced
            and not (waiting.anybody and waiting.awaited(entry.id))
        )

    def _repeated(self, item: Item, entry: Entry, first: First) -> bool:
        """The same sale again, by another till or after a restore; the first stands, and nothing waits for it."""
        if not _stands(item, entry, first):
            return False
        if first.entry.id != entry.id:
            self._sheet.originals.duplicates.put(entry.id, first.entry.id)
        self._sheet.rule(item, heard_again(entry.points, item.branch, already(entry, first)))
        return True

    def _sold(self, item: Item, entry: Entry, candidate: Candidate) -> bool:
        """A new sale, with a new receipt, on a card about which nothing is to be said."""
        if candidate.dates is None or item.branch is not None:
            return False
        standing = self._standing(entry)
        if standing is None:
            return False
        if entry.receipt is not None and self._sheet.keys.receipts.holder(entry) not in (None, item.record):
            return False
        self._enter(item, entry, standing, candidate.at, candidate.dates)
        return True

    def _standing(self, entry: Entry) -> Standing | None:
        """The account, where the card is active and owes nothing, so that no other lot needs to be known."""
        sheet = self._sheet
        listing = sheet.cards.find(entry.card.number) if entry.card else None
        if listing is None or listing.account is None or listing.marked or listing.successor:
            return None
        standing = sheet.accounts.get(listing.account)
        if standing is None or standing.merged_into is not None or may_owe(standing, sheet.now):
            return None
        return standing

    def _enter(self, item: Item, entry: Entry, before: Standing, at: int, dates: Dates) -> None:
        sheet, record, points, account = self._sheet, item.record, entry.points, before.account
        standing = Standing(account, before.balance + points, before.reserved, before.usable_from, before.usable_until)
        sheet.accounts.put(sheet.shelving.arrive(standing, record, points, at, dates))
        sheet.keys.firsts.put(entry.key, First(record, entry, State.POSTED, Code.POSTED))
        sheet.originals.posted(entry.id, Original(record, Kind.EARN, account, points))
        sheet.postings.append(Posting(record, entry.id, account, points, None, Code.POSTED, sheet.now))
        sheet.rulings.append(Ruling(item, posted(points)))  # it waits for nothing: no more to note


def _stands(item: Item, entry: Entry, first: First) -> bool:
    """Whether the very sale is in the books, by another record than this one."""
    sale = first.entry
    if first.state is not State.POSTED or first.record == item.record or sale.kind is not Kind.EARN:
        return False
    return sale is entry or grounds.substance(sale) == grounds.substance(entry)
