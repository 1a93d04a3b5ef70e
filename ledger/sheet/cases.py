"""One record and everything on the sheet that bears on it, laid out for the rules."""

from typing import TYPE_CHECKING

from ledger.facts.case import Case, Item
from ledger.facts.policy import Policy
from ledger.rules.instants import Instant, instant
from ledger.sheet.source import Known, Source
from offline_queue.entry import Card, Entry, Kind

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet


class Cases:
    """Works on one sheet."""

    def __init__(self, sheet: "Sheet", source: Source, policy: Policy) -> None:
        self._sheet, self._policy = sheet, policy
        self.anchors = Known(source.anchors)
        """By terminal and boot."""

    def case(self, item: Item, entry: Entry) -> Case:
        sheet = self._sheet
        original = sheet.originals.of(entry) if entry.kind is Kind.REVERSE else None
        card, target = sheet.claims.card(item, entry), sheet.correcting.target(entry)
        account = sheet.correcting.account(target) if target else self.account(entry, card)
        first, right = sheet.keys.first(item, entry), sheet.rights.at_home(entry.allowance) if entry.allowance else None
        standing, when = None if account is None else sheet.accounts.standing(account), self.instant(item, entry)
        if standing is not None and (first is None or first.record == item.record):
            standing = sheet.shelving.judged(standing, entry, original, right, when.at)
        believed, over = sheet.rights.believed(item, entry, right)
        return Case(
            record=item.record,
            entry=entry,
            sender=item.sender,
            enrolled=sheet.roster.knows(entry.terminal),
            revoked=sheet.keys.revoked(item),
            first=first,
            standing=standing,
            original=original,
            right=right,
            believed=believed,
            over=over if believed else None,
            card=sheet.cards.facts(card.number) if card else None,
            objection=sheet.lifecycle.objection(entry, item.sender),
            branch=item.branch,
            receipt=sheet.keys.receipts.holder(entry),
            shown=sheet.counts.greatest(entry),
            at=when.at,
            clock_off_ms=when.off_ms,
            redeemed=sheet.offline_days.before(account, entry),
            policy=self._policy,
            doubt=sheet.claims.doubts.get(item.record),
            word=sheet.correcting.word(item.sender, entry.correction, target) if target and entry.correction else None,
        )

    def instant(self, item: Item, entry: Entry) -> Instant:
        anchor = self.anchors.get((item.sender, entry.clock.boot_id))
        return instant(entry, anchor, self._sheet.now, self._policy.clock_tolerance_ms)

    def account(self, entry: Entry, card: Card | None) -> int | None:
        """A reversal is on the account of what it reverses, whatever card it names."""
        if entry.kind is Kind.REVERSE:
            original = self._sheet.originals.of(entry)
            return original.account if original else None
        if entry.kind is Kind.CARD_EVENT:
            return None  # it moves no points
        return self._sheet.cards.account(card.number) if card else None
