"""The part of the books that a batch touches, in memory: loaded in bulk, changed by the rules, written in bulk.

A sheet belongs to one transaction. It asks its `Source` for what the rules need to know and collects what they
change; the books write that and commit.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from ledger.facts.case import Case, Decision, Item
from ledger.facts.codes import Code
from ledger.facts.policy import Policy, UnknownCards
from ledger.facts.rights import Right
from ledger.points.standing import Standing
from ledger.rules.claims import lends
from ledger.rules.corrections import place_name
from ledger.rules.deciding import as_its_sale, decide
from ledger.rules.records import (
    KEYED,
    ON_CARD,
    UNREAD,
    plausible,
    waits_for_card,
    waits_for_claim,
    waits_for_entry,
    waits_for_record,
)
from ledger.rules.rights import grant
from ledger.rules.write_offs import WriteOff
from ledger.sheet.accounts import Accounts
from ledger.sheet.card_counts import CardCounts
from ledger.sheet.cases import Cases
from ledger.sheet.claim_desk import ClaimDesk
from ledger.sheet.clearing import Clearing
from ledger.sheet.correcting import Correcting
from ledger.sheet.deck import Deck
from ledger.sheet.effects import Effects
from ledger.sheet.keys import Keys
from ledger.sheet.lifecycle import Lifecycle
from ledger.sheet.offline_days import OfflineDays
from ledger.sheet.originals import Originals
from ledger.sheet.plain_sales import PlainSales
from ledger.sheet.rights import Rights
from ledger.sheet.roster import Roster
from ledger.sheet.shelving import Shelving
from ledger.sheet.source import Posting, Ruling, Source
from ledger.sheet.waiting import Waiting
from offline_queue.entry import Entry, Kind, State


class Sheet:
    """One batch's work on the books; `now` in ms since 1970."""

    def __init__(self, source: Source, policy: Policy, now: int) -> None:
        self._source, self._policy, self.now = source, policy, now
        self.postings: list[Posting] = []
        self.rulings: list[Ruling] = []
        self._look_up(source, policy)
        self._work(source, policy)

    def _look_up(self, source: Source, policy: Policy) -> None:
        """What the books know, and what this batch changes of it."""
        self.roster = Roster(source, policy.breaches)
        self.cards, self.claims, self.counts = Deck(source), ClaimDesk(source), CardCounts(source)
        self.accounts, self.waiting = Accounts(source), Waiting(source)
        self.originals = Originals(source, self.accounts)
        self.rights = Rights(source, self.accounts, policy.unsealed_cap)
        self.keys = Keys(source, self.roster, self.claims, self.waiting)
        self.offline_days = OfflineDays(source, limited=policy.limits.per_card_and_day is not None)

    def _work(self, source: Source, policy: Policy) -> None:
        """What is done on the sheet."""
        self.shelving = Shelving(source, policy.programme, self.now)
        self.lifecycle = Lifecycle(self, source, policy, self.now)
        self.clearing = Clearing(self, source, policy.programme, self.now)
        self.correcting = Correcting(self, source, policy, self.now)
        self.cases = Cases(self, source, policy)
        self._effects, self.plain = Effects(self), PlainSales(self, policy)

    def judge(self, items: Iterable[Item]) -> None:
        """Decides each record in order, and at once whatever waited for it."""
        due = deque(self.claims.read(items, self.waiting.woken))
        self._warm([(item, content) for item, content in due if isinstance(content, Entry)])
        self.waiting.announce({place_name(item): item.record for item, content in due if isinstance(content, Decision)})
        while due:
            item, content = due.popleft()
            if self.plain.post(item, content):
                continue
            revoked = len(self.roster.revoked)
            woken = self._settle(item, content)
            if revoked < len(self.roster.revoked):
                self.keys.let_go(due)
            due.extendleft(reversed(self.claims.read(woken, self.waiting.woken)))

    def wanted_names(self) -> dict[str, int]:
        """Where people find what has no posting of its own; with it, an entry is found by that."""
        unposted = (ruling.item.record for ruling in self.rulings if ruling.decision.state is not State.POSTED)
        return self.waiting.wanted(unposted, {posting.record for posting in self.postings})

    def defer(self, items: Iterable[Item]) -> None:
        """Takes records without looking into them; they are decided when they are driven again."""
        self.waiting.announce({place_name(item): item.record for item in items})
        for item in items:
            self.rule(item, UNREAD)

    def write_off(self, accounts: Sequence[int]) -> list[WriteOff]:
        """Takes points off these accounts that had expired long enough ago."""
        return self.clearing.write_off(accounts)

    def drive(self, items: Sequence[Item]) -> None:
        """Decides those records that still wait, as if they came now."""
        self.judge(self.waiting.take_up(items))

    def register(self, number: str) -> bool:
        """Opens the card's account and decides what waited for the card; False where it has one."""
        self.cards.hold([number])
        if self.cards.account(number) is not None:
            return False
        final = self.open(number)
        self.judge(self.waiting.wake(waits_for_card(final)))
        return True

    def reserve(self, asked: Right, *, least: int | None = None, why_not: Code | None = None) -> Right:
        """Grants or refuses an allowance (see rights.grant); what is granted is held back at once."""
        self.roster.warm([asked.terminal])
        if asked.terminal in self.roster.revoked:
            why_not = Code.KEY_REVOKED
        self.cards.expect([asked.card])
        account = self.cards.account(asked.card)
        if self.cards.facts(asked.card).blocked is not None:
            why_not = why_not or Code.CARD_BLOCKED_KNOWN
        standing = None if account is None else self.shelving.at(self.accounts.standing(account), self.now)
        right = grant(asked, standing, least=least, why_not=why_not)
        right = msgspec.structs.replace(right, granted_at=self.now)
        self.rights.put(right)
        return right

    def _warm(self, met: Sequence[tuple[Item, Entry]]) -> None:
        """Asks in bulk, and holds what others must not change meanwhile, in the order that the source wants.

        What a record may wait for is held before its key is claimed: so a repetition sees the first still waiting and
        waits with it, or sees what became of it.
        """
        entries = [entry for _, entry in met]
        cards = self.cards.ask([entry.card.number for entry in entries if entry.card and entry.kind in ON_CARD])
        self.roster.warm(name for item, entry in met for name in (entry.terminal, item.sender))
        self.cases.anchors.warm((item.sender, entry.clock.boot_id) for item, entry in met)
        cards()
        self.lifecycle.expect(entries)
        self.rights.warm(entry.allowance for entry in entries if entry.allowance)
        reversed_here = [entry.reverses for entry in entries if entry.reverses]
        homes = self._source.homes(reversed_here) if reversed_here else {}
        self.originals.duplicates.warm(reversed_here)
        stands = [first for entry in reversed_here if (first := self.originals.duplicates.get(entry))]
        homes |= self._source.homes(stands) if stands else {}
        corrected = self.correcting.expect(entries)
        claimed = self.keys.ask(met)
        self.plain.look_ahead(met)
        claimed()
        new = [entry for item, entry in met if not self.plain.repeats(item, entry)] if self.keys.repeated else entries
        accounts = [self.cards.account(entry.card.number) for entry in new if entry.card]
        accounts += [*self.rights.accounts(), *homes.values(), *corrected]
        self.waiting.hear()
        self.accounts.warm(account for account in accounts if account is not None)
        self.originals.warm([*reversed_here, *stands])
        self.counts.expect(entries)
        self.correcting.disputes.hear_again()

    def _settle(self, item: Item, content: Entry | Decision) -> list[Item]:
        """Decides and applies one record; returns the records that waited for it."""
        if item.record in self.correcting.done:
            return []
        if isinstance(content, Decision):
            self.rule(item, content)
            return self.waiting.wake_words(waits_for_entry(place_name(item)))
        # What it does may cost its terminal the key: that is for what comes behind it.
        owned, names = self.keys.owns(item, content), self.keys.names(item, content)
        case, woken = self.cases.case(item, content), list[Item]()
        decision = decide(case)
        if decision.ground is Code.CARD_UNKNOWN and case.card and self._may_register(case.card.number):
            woken = self.waiting.wake(waits_for_card(self.open(case.card.number)))
            case = self.cases.case(item, content)
            decision = decide(case)
        if lends(case) and decision.stands:
            case, decision, lent_to = self._lend(item, content, (case, decision))
            woken += lent_to
        self._effects.apply(case, decision)
        if owned:
            self.counts.note(content, case.at)
        if item.record in self.waiting.changed and decision.waits is None:
            woken += self.waiting.wake(waits_for_record(item.record))
        self.rule(item, decision)
        if case.word is not None and decision.stands:
            woken += self.correcting.apply(case, decision)
        if content.kind is Kind.CARD_EVENT and decision.stands:
            woken += self.lifecycle.happen(case)
        return woken + (self._wake_by_name(names, content, decision) if self.waiting.anybody else [])

    def _wake_by_name(self, names: Iterable[str], entry: Entry, decision: Decision) -> list[Item]:
        """What waited for an entry, as soon as it stands; words on it as soon as it is in the books."""
        stands = decision.stands or (decision.ground is Code.DUPLICATE and decision.waits is None)
        wake = self.waiting.wake if entry.kind in KEYED and stands else self.waiting.wake_words
        return [waiter for name in names for waiter in wake(waits_for_entry(name))]

    def _lend(self, item: Item, claim: Entry, given: tuple[Case, Decision]) -> tuple[Case, Decision, list[Item]]:
        """Gives the claim's card to the sale that waits for one, unless another batch was quicker.

        Where the sale has to wait for something else, the claim waits with it, so that its card is not forgotten.
        """
        waiters = self.waiting.wake(waits_for_claim(claim.key))
        if claim.card is not None:
            self.claims.lent.update(dict.fromkeys((waiter.record for waiter in waiters), claim.card))
        if not waiters:
            self.keys.take(claim.key, item.record)
        woken = [item for sale in self.claims.read(waiters, self.waiting.woken) for item in self._settle(*sale)]
        case = self.cases.case(item, claim)
        if not lends(case):
            return (*(given if waiters else (case, decide(case))), woken)
        return case, as_its_sale(case), woken

    def _may_register(self, number: str) -> bool:
        return self._policy.unknown_cards is UnknownCards.REGISTER and plausible(number)

    def open(self, number: str) -> str:
        """Opens an account for the card that stands for this one, and returns that card."""
        final, account = self.cards.final(number), self._source.new_account()
        self.cards.open(final, account)
        self.accounts.put(Standing(account))
        return final

    def rule(self, item: Item, decision: Decision) -> None:
        self.rulings.append(Ruling(item, decision))
        self.waiting.note(item, decision)
