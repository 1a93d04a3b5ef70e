"""A person's word takes effect on a sheet: the difference is posted, what it was about is settled and waits no more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ledger.facts.case import Case, Decision, First, Item, Original, Word
from ledger.facts.policy import Policy, Stance
from ledger.facts.rights import RightState
from ledger.rules.claims import sale_key
from ledger.rules.corrections import Dispute, Spoken, Target, asked_of, original, resolved
from ledger.rules.own_entries import OFFICE
from ledger.rules.records import KEYED, KEYLESS, NO_CLAIM, ON_CARD, waits_for_entry, waits_for_record
from ledger.sheet.disputes import Disputes
from ledger.sheet.source import Posting, Source
from offline_queue.entry import Card, Correction, Entry, Kind

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet


class Correcting:
    """Works on one sheet; `now` in ms since 1970."""

    def __init__(self, sheet: "Sheet", source: Source, policy: Policy, now: int) -> None:
        self._sheet, self._source, self._policy, self._now = sheet, source, policy, now
        self.disputes = Disputes(sheet, source)
        self.done: set[int] = set()
        """Records that this batch has settled; they are not judged again, though they may have been woken."""

    def expect(self, entries: Sequence[Entry]) -> list[int]:
        """Asks for what these correct; its accounts. Nothing for nearly every batch."""
        named = [entry.correction.of for entry in entries if entry.correction and entry.correction.of]
        disputes = self.disputes.hold(named) if named else []
        self._sheet.cards.expect([found.entry.card.number for found in disputes if found.entry and found.entry.card])
        accounts = (self._account_of(dispute) for dispute in disputes)
        return [account for account in accounts if account is not None]

    def target(self, entry: Entry) -> Target | None:
        correction = entry.correction if entry.kind is Kind.CORRECTION else None
        return self.disputes.target(correction) if correction and correction.of else None

    def account(self, target: Target) -> int | None:
        return self._account_of(target.root)

    def word(self, sender: str, correction: Correction, target: Target) -> Word:
        """A till may settle what it recorded itself, if the retailer lets it."""
        recorders = {target.named.item.sender, target.root.item.sender}
        entitled = sender == OFFICE or (self._policy.till_resolutions is Stance.HONOUR and recorders == {sender})
        entry = target.root.entry
        lies_on = entry.card if entry and entry.kind in ON_CARD else None
        missing = lies_on.number if lies_on and self._account_of(target.root) is None else None
        card = self._sheet.cards.final(missing) if missing else None
        return target.word(correction, entitled=entitled, card=card)

    def apply(self, case: Case, decision: Decision) -> list[Item]:
        """Returns the records that waited for what was settled."""
        correction, word, target = case.entry.correction, case.word, self.target(case.entry)
        if correction is None or word is None or target is None:
            return []
        root, named = target.root, target.named
        if case.standing is not None:
            self._post(case, decision, root, case.standing.account)
        self.disputes.made.append(
            (root.item.record, Spoken(len(root.words) + 1, case.record, word.had, word.shall, word.effect))
        )
        self._end_right(root, word.shall)
        asked = asked_of(root, self._original_of(root))
        woken = self._settle(root, resolved(correction, root, word.shall, asked))
        if named.item.record != root.item.record:
            effect, asked = word.shall - target.refused, target.honoured - target.refused
            woken += self._settle(named, resolved(correction, named, effect, asked))
        return woken

    def _settle(self, dispute: Dispute, decision: Decision) -> list[Item]:
        """The new verdict; what waited for the entry can be decided now."""
        sheet, item, entry = self._sheet, dispute.item, dispute.entry
        sheet.waiting.take_up([item])
        self.done.add(item.record)
        sheet.rule(item, decision)
        if entry is not None and entry.kind in KEYED:
            self._keep_key(dispute, entry, decision)
        return sheet.waiting.wake(waits_for_record(item.record)) + sheet.waiting.wake(waits_for_entry(dispute.name))

    def _keep_key(self, dispute: Dispute, entry: Entry, decision: Decision) -> None:
        """Repetitions hear that it is settled. What counts by a person's word alone has its key from now on, if free:
        so its sale does not count once more when it comes on another way."""
        record, key, source = dispute.item.record, sale_key(entry), self._source
        if dispute.code in KEYLESS and not decision.effect:
            source.let_go({key: record}, {})
        elif dispute.code not in NO_CLAIM or dispute.code in KEYLESS:
            first = self._sheet.keys.holder(key, record)
            if first is None or first.record == record:
                self._sheet.keys.firsts.put(key, First(record, entry, decision.state, decision.code))

    def _post(self, case: Case, decision: Decision, root: Dispute, account: int) -> None:
        """The difference under the correction. What had no posting gets one of 0, so that its name leads to it."""
        sheet, effect = self._sheet, decision.effect
        reversed_ = self._original_of(root)
        number = root.original if root.posted is not None else reversed_.record if reversed_ else None
        if root.posted is None:
            sheet.postings.append(Posting(root.item.record, root.name, account, 0, number, root.code, self._now))
        if root.entry is not None:
            moment = sheet.cases.instant(root.item, root.entry).at
            sheet.clearing.revive_corrected(root.entry, root.item.record, effect, account, moment)
            sheet.shelving.correct(case.record, effect, sheet.accounts.standing(account), root, moment)
        sheet.accounts.move(account, balance=effect)
        sheet.accounts.put(sheet.shelving.measured(sheet.accounts.standing(account)))
        sheet.postings.append(Posting(case.record, case.entry.id, account, effect, number, decision.code, self._now))
        sheet.originals.put(case.entry.id, Original(case.record, case.entry.kind, account, effect))
        self._note(case.record, effect, root, reversed_, account)

    def _note(self, record: int, effect: int, root: Dispute, reversed_: Original | None, account: int) -> None:
        """What later reversals may take back."""
        if root.entry is None:
            return
        has = original(root.item.record, root.entry.kind, account, root.posted or 0, root.undone, root.words)
        word = replace(has, points=has.points + effect, corrections=(*has.corrections, record))
        self._sheet.originals.put(root.name, word)
        if reversed_ is not None:
            self._sheet.shelving.reverses(record, reversed_.record)
            undone = reversed_.reversed + (effect if reversed_.kind is Kind.REDEEM else -effect)
            self._sheet.originals.put(self._sheet.originals.name_for(root.entry), replace(reversed_, reversed=undone))

    def _end_right(self, root: Dispute, shall: int) -> None:
        """A right that an entry without effect had used waits for nobody: now it is used up, or free again."""
        allowance = root.entry.allowance if root.entry and root.posted is None else None
        right = self._sheet.rights.get(allowance) if allowance else None
        if right is None or right.state is not RightState.OPEN or right.terminal != root.item.sender:
            return
        self._sheet.rights.put(replace(right, state=RightState.CONSUMED if shall < 0 else RightState.RELEASED))

    def _account_of(self, dispute: Dispute) -> int | None:
        if dispute.account is not None or dispute.entry is None:
            return dispute.account
        return self._sheet.cases.account(dispute.entry, self._card_of(dispute.entry, dispute.item.record))

    def _card_of(self, entry: Entry, record: int) -> Card | None:
        """Of a sale without a card that of its claim."""
        return entry.card or (self._sheet.waiting.lent_to(record) if entry.kind is Kind.EARN else None)

    def _original_of(self, dispute: Dispute) -> Original | None:
        reversal = dispute.entry if dispute.entry and dispute.entry.kind is Kind.REVERSE else None
        return self._sheet.originals.of(reversal) if reversal else None
