"""Sales about which there is nothing to decide: most of every backlog. They are posted without a look at each rule.

What is recognised here is what no rule objects to and nobody waits for; everything else is decided the long way, in its
place between these. A test holds both ways to the same books, row by row.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from ledger.card_counts import proof_of
from ledger.facts import Code, Decision, First, Item, Original, Policy, Standing
from ledger.lots import ALWAYS
from ledger.shelving import may_owe
from ledger.source import Posting
from offline_queue.entry import Entry, Kind, State

if TYPE_CHECKING:
    from ledger.sheet import Sheet


@lru_cache(maxsize=1024)
def posted(points: int) -> Decision:
    """The decision on a sale that nothing speaks against."""
    return Decision(State.POSTED, Code.POSTED, points, points, stands=True)


class PlainSales:
    """Works on one sheet."""

    def __init__(self, sheet: "Sheet", policy: Policy) -> None:
        self._sheet, self._tolerance = sheet, policy.clock_tolerance_ms
        self._programme = policy.programme

    def post(self, item: Item, entry: Entry | Decision) -> bool:
        """Posts the record where there is nothing to decide about it; else False, and nothing has happened."""
        if not (isinstance(entry, Entry) and self._first_heard(item, entry) and self._as_the_rules_say(entry)):
            return False
        standing = self._standing(entry)
        if standing is None:
            return False
        when = self._sheet.instant(item, entry)
        if abs(when.off_ms) > self._tolerance:
            return False
        self._enter(item, entry, standing, when.at)
        return True

    def _first_heard(self, item: Item, entry: Entry) -> bool:
        """A sale of the till that sent it, under a key, an id and a receipt that are new, for which nobody waits.

        A card that proves itself has to be compared with what it has shown before.
        """
        sheet, record = self._sheet, item.record
        return (
            entry.kind is Kind.EARN
            and item.branch is None
            and sheet.owns(item, entry)
            and record not in sheet.waits
            and entry.id in sheet.announced
            and sheet.firsts.knows(entry.key)
            and sheet.firsts.get(entry.key) is None
            and sheet.receipts.holder(entry) in (None, record)
            and proof_of(entry) is None
            and not sheet.awaited(entry.id)
        )

    def _as_the_rules_say(self, entry: Entry) -> bool:
        if entry.points == 0 or entry.allowance is not None:
            return False
        if not self._programme.rules:
            return True
        return self._programme.knows(entry) and self._programme.expected(entry) in (None, entry.points)

    def _standing(self, entry: Entry) -> Standing | None:
        """The account, where the card is active and owes nothing, so that no other lot needs to be known."""
        sheet = self._sheet
        listing = sheet.cards.find(entry.card.number) if entry.card else None
        if listing is None or listing.account is None or listing.marked or listing.successor:
            return None
        standing = sheet.standings.get(listing.account)
        if standing is None or standing.merged_into is not None or may_owe(standing, sheet.now):
            return None
        return standing

    def _enter(self, item: Item, entry: Entry, before: Standing, at: int) -> None:
        sheet, record, points, account = self._sheet, item.record, entry.points, before.account
        dates = self._programme.dates(entry.rule, at) if self._programme.rules else ALWAYS
        standing = Standing(account, before.balance + points, before.reserved, before.usable_from, before.usable_until)
        sheet.standings.put(account, sheet.shelving.arrive(standing, record, points, at, dates))
        sheet.firsts.put(entry.key, First(record, entry, State.POSTED, Code.POSTED))
        sheet.posted_here.setdefault(entry.id, Original(record, Kind.EARN, account, points))
        sheet.postings.append(Posting(record, entry.id, account, points, None, Code.POSTED, sheet.now))
        sheet.rule(item, posted(points))
