"""The part of the books that a batch touches, in memory: loaded in bulk, changed by the rules, written in bulk.

A sheet belongs to one transaction. It asks its `Source` for what the rules need to know and collects what they
change; the books write that and commit.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from ledger.facts.case import Case, Decision, First, Item, Original
from ledger.facts.codes import Code
from ledger.facts.policy import Policy, UnknownCards
from ledger.facts.rights import Right, RightState
from ledger.points.standing import Standing
from ledger.rules.claims import AWARDS, lends
from ledger.rules.confirming import believed, home, unsealed, way
from ledger.rules.corrections import place_name
from ledger.rules.deciding import as_its_sale, decide
from ledger.rules.instants import Instant, instant
from ledger.rules.records import (
    KEYED,
    NO_CLAIM,
    ON_CARD,
    OVERDRAWING,
    UNREAD,
    WAITS_FOR_REVIEW,
    WAITS_FOR_UPGRADE,
    entry_awaited,
    plausible,
    read,
    waits_for_card,
    waits_for_claim,
    waits_for_entry,
    waits_for_record,
)
from ledger.rules.rights import MAX_ALLOWANCE_NAME, grant
from ledger.rules.write_offs import WriteOff
from ledger.sheet.card_counts import CardCounts
from ledger.sheet.claim_desk import ClaimDesk
from ledger.sheet.clearing import Clearing
from ledger.sheet.correcting import Correcting
from ledger.sheet.deck import Deck
from ledger.sheet.lifecycle import Lifecycle
from ledger.sheet.offline_days import OfflineDays
from ledger.sheet.plain_sales import PlainSales
from ledger.sheet.receipts import Receipts
from ledger.sheet.roster import Roster
from ledger.sheet.shelving import Shelving
from ledger.sheet.source import Known, Posting, Ruling, Source
from offline_queue.entry import Card, Entry, Kind, State

NOT_WOKEN_HERE: Final = frozenset({WAITS_FOR_REVIEW, WAITS_FOR_UPGRADE})
"""No record of a batch ends these waits, and there may be many of them."""


class Sheet:
    """One batch's work on the books; `now` in ms since 1970."""

    def __init__(self, source: Source, policy: Policy, now: int) -> None:
        self._source, self._policy, self.now = source, policy, now
        self.firsts = Known[str, First](lambda _: {})
        self.cards = Deck(source)
        self.standings = Known(source.standings)
        self.rights = Known(self._rights_held)
        self.rights_held: set[str] = set()
        """Those that the books had before this batch."""
        self.duplicates = Known(source.duplicates)
        self.claims = ClaimDesk(source)
        self.shelving = Shelving(source, policy.programme, now)
        self._lifecycle = Lifecycle(self, source, policy, now)
        self.clearing = Clearing(self, source, policy.programme, now)
        self.postings: list[Posting] = []
        self.rulings: list[Ruling] = []
        self.waits: dict[int, str | None] = {}
        """Records that wait, with what for; None for one that no longer does."""
        self._waiting = Known(self._waiting_held)
        self._unawaited: set[str] = set()
        """Names for which nothing waited when they were announced."""
        self.roster = Roster(source, policy.breaches)
        self.offline_days = OfflineDays(source, limited=policy.limits.per_card_and_day is not None)
        self.receipts = Receipts(source)
        self.counts = CardCounts(source)
        self._anchors = Known(source.anchors)
        self._woken: set[int] = set()
        """Records that were decided before, and waited; what their terminal did since takes nothing from them."""
        self._originals = Known(self._originals_held)
        self._awaited = False
        """Whether anything at all may wait for what is decided here."""
        self.announced: dict[str, int] = {}
        """The records of this batch by their names."""
        self.posted_here: dict[str, Original] = {}
        self.correcting = Correcting(self, source, policy, now)
        self.plain = PlainSales(self, policy)

    def judge(self, items: Iterable[Item]) -> None:
        """Decides each record in order, and at once whatever waited for it."""
        due = deque(self.claims.read(items, self._woken))
        self._warm([(item, content) for item, content in due if isinstance(content, Entry)])
        self._announce({place_name(item): item.record for item, content in due if isinstance(content, Decision)})
        while due:
            item, content = due.popleft()
            if self.plain.post(item, content):
                continue
            revoked = len(self.roster.revoked)
            woken = self._settle(item, content)
            if revoked < len(self.roster.revoked):
                self._let_go(due)
            due.extendleft(reversed(self.claims.read(woken, self._woken)))

    def wanted_names(self) -> dict[str, int]:
        """Where people find what has no posting of its own; with it, an entry is found by that."""
        if self._source.keeps_names:
            return {}
        wanted = {ruling.item.record for ruling in self.rulings if ruling.decision.state is not State.POSTED}
        wanted |= set(self.announced.values()).difference(posting.record for posting in self.postings)
        return {name: record for name, record in self.announced.items() if record in wanted}

    def defer(self, items: Iterable[Item]) -> None:
        """Takes records without looking into them; they are decided when they are driven again."""
        self._announce({place_name(item): item.record for item in items})
        for item in items:
            self.rule(item, UNREAD)

    def write_off(self, accounts: Sequence[int]) -> list[WriteOff]:
        """Takes points off these accounts that had expired long enough ago."""
        return self.clearing.write_off(accounts)

    def drive(self, items: Sequence[Item]) -> None:
        """Decides those records that still wait, as if they came now."""
        self.judge(self.taken_up(items))

    def register(self, number: str) -> bool:
        """Opens the card's account and decides what waited for the card; False where it has one."""
        self.cards.hold([number])
        if self.cards.account(number) is not None:
            return False
        final = self.open(number)
        self.judge(self.wake(waits_for_card(final)))
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
        standing = None if account is None else self.shelving.at(self.standing(account), self.now)
        right = grant(asked, standing, least=least, why_not=why_not)
        right = msgspec.structs.replace(right, granted_at=self.now)
        self.rights.put(right.id, right)
        if account is not None:
            self.move(account, reserved=right.holds_back)
        return right

    def _warm(self, met: Sequence[tuple[Item, Entry]]) -> None:
        """Asks in bulk, and holds what others must not change meanwhile, in the order that the source wants.

        What a record may wait for is held before its key is claimed: so a repetition sees the first still waiting and
        waits with it, or sees what became of it.
        """
        entries = [entry for _, entry in met]
        self.roster.warm(name for item, entry in met for name in (entry.terminal, item.sender))
        self._anchors.warm((item.sender, entry.clock.boot_id) for item, entry in met)
        self.cards.expect([entry.card.number for entry in entries if entry.card and entry.kind in ON_CARD])
        self._lifecycle.expect(entries)
        self.rights.warm(entry.allowance for entry in entries if entry.allowance)
        reversed_here = [entry.reverses for entry in entries if entry.reverses]
        homes = self._source.homes(reversed_here) if reversed_here else {}
        self.duplicates.warm(reversed_here)
        stands = [first for entry in reversed_here if (first := self.duplicates.get(entry))]
        homes |= self._source.homes(stands) if stands else {}
        corrected = self.correcting.expect(entries)
        self._meet(met)
        accounts = [self.cards.account(entry.card.number) for entry in entries if entry.card]
        accounts += [right.account for right in map(self.rights.get, self.rights.asked()) if right]
        accounts += [*homes.values(), *corrected]
        self.standings.warm(account for account in accounts if account is not None)
        self._originals.warm([*reversed_here, *stands])
        self.counts.expect(entries)
        self.correcting.disputes.hear_again()

    def _meet(self, met: Sequence[tuple[Item, Entry]]) -> None:
        """Claims the keys of these entries and learns what waits for them; an entry of a stranger gets neither."""
        owned = {item.record for item, entry in met if self.owns(item, entry)}
        own = [pair for pair in met if pair[1].kind in KEYED and pair[0].record in owned]
        keys = {entry.key: item.record for item, entry in reversed(own) if not self.firsts.knows(entry.key)}
        if keys:
            asking = {entry.key: entry for _, entry in reversed(own) if entry.key in keys}
            self.firsts.learn(keys, self._source.claim(keys, asking))
        self.receipts.claim((item, entry) for item, entry in own if self._has_key(item, entry, keys))
        self._announce(
            {
                name: item.record
                for item, entry in reversed(met)
                for name in self._names(item, entry, owned=item.record in owned)
            }
        )

    def _announce(self, named: Mapping[str, int]) -> None:
        """Learns what waits for records that come to stand under these names."""
        names = {name: record for name, record in named.items() if name not in self.announced}
        if names:
            self.announced |= names
            awaited = self._source.announce(names)
            self._awaited = self._awaited or bool(awaited)
            self._unawaited |= names.keys() - set(awaited)
            self._waiting.warm(map(waits_for_entry, awaited))

    def _waiting_held(self, reasons: Sequence[str]) -> dict[str, list[Item]]:
        asked = [reason for reason in reasons if entry_awaited(reason) not in self._unawaited]
        return self._source.waiting(asked) if asked else {}

    def _names(self, item: Item, entry: Entry, *, owned: bool) -> list[str]:
        """Under which people and later entries find a record: a stranger cannot take the id of somebody's entry."""
        return self.claims.names(item, entry) if owned else [place_name(item)]

    def owns(self, item: Item, entry: Entry) -> bool:
        """Whether the entry is its sender's own, whose key counts."""
        if entry.terminal != item.sender or not self.roster.knows(item.sender):
            return False
        return item.record not in self.claims.doubts and not self._revoked(item)

    def _revoked(self, item: Item) -> bool:
        return item.sender in self.roster.revoked and item.record not in self._woken

    def _has_key(self, item: Item, entry: Entry, taken: Mapping[str, int]) -> bool:
        first = self.firsts.get(entry.key)
        return taken.get(entry.key) == item.record if first is None else first.record == item.record

    def _let_go(self, behind: Iterable[tuple[Item, Entry | Decision]]) -> None:
        """What comes behind a terminal's last breach leaves its keys and receipts to others, and goes by its place."""
        revoked = [(item, entry) for item, entry in behind if isinstance(entry, Entry) and self._revoked(item)]
        entries = {item.record: entry for item, entry in revoked}
        self._announce({place_name(item): item.record for item, _ in revoked})
        keys = {entry.key: record for record, entry in reversed(entries.items()) if self.firsts.get(entry.key) is None}
        if entries:
            self._source.let_go(keys, self.receipts.let_go(set(entries)))

    def _rights_held(self, ids: Sequence[str]) -> dict[str, Right]:
        found = self._source.rights(ids)
        self.rights_held |= found.keys()
        return found

    def _originals_held(self, entries: Sequence[str]) -> dict[str, Original]:
        """What is left of an original is only sure when its account is held."""
        self.standings.warm(self._source.homes(entries).values())
        return self._source.originals(entries)

    def _settle(self, item: Item, content: Entry | Decision) -> list[Item]:
        """Decides and applies one record; returns the records that waited for it."""
        if item.record in self.correcting.done:
            return []
        if isinstance(content, Decision):
            self.rule(item, content)
            return self._wake_words(waits_for_entry(place_name(item)))
        case, woken = self._case(item, content), list[Item]()
        decision = decide(case)
        if decision.ground is Code.CARD_UNKNOWN and case.card and self._may_register(case.card.number):
            woken = self.wake(waits_for_card(self.open(case.card.number)))
            case = self._case(item, content)
            decision = decide(case)
        if lends(case) and decision.stands:
            case, decision, lent_to = self._lend(item, content, (case, decision))
            woken += lent_to
        self._apply(case, decision)
        if self.owns(item, content):
            self.counts.note(content, case.at)
        if item.record in self.waits and decision.waits is None:
            woken += self.wake(waits_for_record(item.record))
        self.rule(item, decision)
        if case.word is not None and decision.stands:
            woken += self.correcting.apply(case, decision)
        if content.kind is Kind.CARD_EVENT and decision.stands:
            woken += self._lifecycle.happen(case)
        return woken + (self._wake_by_name(item, content, decision) if self._awaited else [])

    def _wake_by_name(self, item: Item, entry: Entry, decision: Decision) -> list[Item]:
        """What waited for an entry, as soon as it stands; words on it as soon as it is in the books."""
        stands = decision.stands or (decision.ground is Code.DUPLICATE and decision.waits is None)
        wake = self.wake if entry.kind in KEYED and stands else self._wake_words
        return [
            waiter
            for name in self._names(item, entry, owned=self.owns(item, entry))
            for waiter in wake(waits_for_entry(name))
        ]

    def _lend(self, item: Item, claim: Entry, given: tuple[Case, Decision]) -> tuple[Case, Decision, list[Item]]:
        """Gives the claim's card to the sale that waits for one, unless another batch was quicker.

        Where the sale has to wait for something else, the claim waits with it, so that its card is not forgotten.
        """
        waiters = self.wake(waits_for_claim(claim.key))
        if claim.card is not None:
            self.claims.lent.update(dict.fromkeys((waiter.record for waiter in waiters), claim.card))
        if not waiters:
            self.firsts.learn([claim.key], self._source.claim({claim.key: item.record}))
        woken = [item for sale in self.claims.read(waiters, self._woken) for item in self._settle(*sale)]
        case = self._case(item, claim)
        if not lends(case):
            return (*(given if waiters else (case, decide(case))), woken)
        return case, as_its_sale(case), woken

    def lent_to(self, sale: int) -> Card | None:
        """The card of the claim that waits with a sale without one."""
        waiting = [read(item.raw) for item in self._waiting.get(waits_for_record(sale)) or ()]
        cards = (entry.card for entry in waiting if isinstance(entry, Entry) and entry.kind is Kind.CLAIM)
        return next(cards, None)

    def _case(self, item: Item, entry: Entry) -> Case:
        original = self.original_for(entry) if entry.kind is Kind.REVERSE else None
        card, target = self.claims.card(item, entry), self.correcting.target(entry)
        account = self.correcting.account(target) if target else self.account_for(entry, card)
        first, right = self._first(item, entry), self._right(entry.allowance) if entry.allowance else None
        standing, when = None if account is None else self.standing(account), self.instant(item, entry)
        if standing is not None and (first is None or first.record == item.record):
            standing = self.shelving.judged(standing, entry, original, right, when.at)
        believed, over = self._believed(item, entry, right)
        return Case(
            record=item.record,
            entry=entry,
            sender=item.sender,
            enrolled=self.roster.knows(entry.terminal),
            revoked=self._revoked(item),
            first=first,
            standing=standing,
            original=original,
            right=right,
            believed=believed,
            over=over if believed else None,
            card=self.cards.facts(card.number) if card else None,
            objection=self._lifecycle.objection(entry, item.sender),
            branch=item.branch,
            receipt=self.receipts.holder(entry),
            shown=self.counts.greatest(entry),
            at=when.at,
            clock_off_ms=when.off_ms,
            redeemed=self.offline_days.before(account, entry),
            policy=self._policy,
            doubt=self.claims.doubts.get(item.record),
            word=self.correcting.word(item.sender, entry.correction, target) if target and entry.correction else None,
        )

    def instant(self, item: Item, entry: Entry) -> Instant:
        anchor = self._anchors.get((item.sender, entry.clock.boot_id))
        return instant(entry, anchor, self.now, self._policy.clock_tolerance_ms)

    def account_for(self, entry: Entry, card: Card | None) -> int | None:
        """A reversal is on the account of what it reverses, whatever card it names."""
        if entry.kind is Kind.REVERSE:
            original = self.original_for(entry)
            return original.account if original else None
        if entry.kind is Kind.CARD_EVENT:
            return None  # it moves no points
        return self.cards.account(card.number) if card else None

    def _believed(self, item: Item, entry: Entry, right: Right | None) -> tuple[bool, str | None]:
        """Whether a right that is given back cannot be used by anybody else, and the end that is believed for that."""
        if entry.kind is not Kind.RELEASE or right is None or right.terminal != item.sender:
            return True, None
        links = self._source.links(item.sender, item.stream, home(right))
        over = unsealed(links)
        here = sum(other.points for other in self.rights.changed.values() if other.trusted == over)
        spent = self._source.spent(over) + here if over else 0
        return believed(way(links, home(right)), right, spent, self._policy.unsealed_cap), over

    def _right(self, name: str) -> Right | None:
        """On the account that it is on now: a promise outlives the merger of its account."""
        right = self.rights.get(name)
        if right is None or right.account is None:
            return right
        account = self.standing(right.account).account
        return right if account == right.account else msgspec.structs.replace(right, account=account)

    def _first(self, item: Item, entry: Entry) -> First | None:
        if entry.kind not in KEYED or not self.owns(item, entry):
            return None
        if not self.firsts.knows(entry.key) or entry.id not in self.announced:
            self._meet([(item, entry)])
        first = self.firsts.get(entry.key)
        if first is not None and first.record == item.record:
            self.receipts.claim([(item, entry)])
        return first

    def holder(self, key: str, record: int) -> First | None:
        """Who has an idempotency key; None where this record takes it now."""
        return self.firsts.get(key) or self._source.claim({key: record}).get(key)

    def standing(self, account: int) -> Standing:
        """Of the account, or of the one that it was merged into."""
        found = self.standings.get(account) or Standing(account)
        return found if found.merged_into is None else self.standing(found.merged_into)

    def standing_for(self, reversal: Entry) -> str:
        """The entry that a reversal undoes: a sale sent through two tills stands under the id of the first."""
        named = reversal.reverses or ""
        return named if self._original(named) else self.duplicates.get(named) or named

    def original_for(self, reversal: Entry) -> Original | None:
        return self._original(self.standing_for(reversal))

    def put_original(self, name: str, original: Original) -> None:
        if self._originals.get(name):
            self._originals.put(name, original)
        else:
            self.posted_here[name] = original

    def _original(self, entry: str) -> Original | None:
        return self._originals.get(entry) or self.posted_here.get(entry)

    def _may_register(self, number: str) -> bool:
        return self._policy.unknown_cards is UnknownCards.REGISTER and plausible(number)

    def open(self, number: str) -> str:
        """Opens an account for the card that stands for this one, and returns that card."""
        final, account = self.cards.final(number), self._source.new_account()
        self.cards.open(final, account)
        self.standings.put(account, Standing(account))
        return final

    def rule(self, item: Item, decision: Decision) -> None:
        self.rulings.append(Ruling(item, decision))
        if decision.waits is not None:
            self.waits[item.record], self._awaited = decision.waits, True
            if decision.waits in NOT_WOKEN_HERE:
                return
            self._waiting.put(decision.waits, [*(self._waiting.get(decision.waits) or ()), item])

    def awaited(self, entry: str) -> bool:
        """Whether records wait for this entry."""
        return self._awaited and bool(self._waiting.get(waits_for_entry(entry)))

    def wake(self, reason: str) -> list[Item]:
        woken = self._waiting.get(reason) or []
        if not woken:
            return []
        self._waiting.put(reason, [])
        taken = self.taken_up(woken)
        self._woken |= {item.record for item in taken}
        return taken

    def _wake_words(self, reason: str) -> list[Item]:
        """A word on an entry is heard as soon as that is in the books, whatever the rules say of it."""
        waiting = self._waiting.get(reason) or []
        words = [item for item in waiting if _is_word(item)]
        if not words:
            return []
        self._waiting.put(reason, [item for item in waiting if item not in words])
        return self.taken_up(words)

    def taken_up(self, items: Sequence[Item]) -> list[Item]:
        """Those that nobody else has decided meanwhile; from here on they wait no more."""
        before = [item.record for item in items if item.record not in self.waits]
        free = self._source.take_up(before) if before else set()
        taken = [item for item in items if item.record in free or self.waits.get(item.record) is not None]
        self.waits.update(dict.fromkeys((item.record for item in taken), None))
        return taken

    def _apply(self, case: Case, decision: Decision) -> None:
        entry, has_effect = case.entry, case.entry.kind in KEYED and not lends(case)
        if has_effect and decision.ground not in NO_CLAIM:
            self.firsts.put(entry.key, First(case.record, entry, decision.state, decision.code))
        if has_effect and case.word is None and decision.stands and case.standing is not None:
            self._post(case, decision, case.standing.account)
        own_id = self.claims.own_ids.get(case.record)
        if own_id is not None:
            self.duplicates.put(own_id, case.first.entry.id if case.first else entry.id)
        if decision.ground is Code.DUPLICATE and case.first is not None and case.first.entry.id != entry.id:
            self.duplicates.put(entry.id, case.first.entry.id)
        self.roster.note(case, decision)
        if decision.right is not None and entry.allowance is not None:
            self._close(case, entry.allowance, decision.right)

    def _close(self, case: Case, allowance: str, state: RightState) -> None:
        """Ends a right; what it held back is free again, or was just used."""
        right = case.right
        if right is None:
            number = case.entry.card.number if case.entry.card else ""
            if len(allowance) > MAX_ALLOWANCE_NAME:
                return  # no request under such a name is heard either
            right = Right(allowance, case.sender, "", number, 0, None, state, Code.ALLOWANCE_VOID)
        ended = msgspec.structs.replace(right, state=state, trusted=case.over or right.trusted)
        if right.account is not None:
            self.move(right.account, reserved=ended.holds_back - right.holds_back)
        self.rights.put(allowance, ended)

    def move(self, account: int, *, balance: int = 0, reserved: int = 0) -> None:
        before = self.standing(account)
        told = {"balance": before.balance + balance, "reserved": before.reserved + reserved}
        self.standings.put(before.account, msgspec.structs.replace(before, **told))

    def _post(self, case: Case, decision: Decision, account: int) -> None:
        entry, original, effect = case.entry, case.original, decision.effect
        self.clearing.revive(case, effect, account)
        self.shelving.shelve(case, decision, self.standing(account))
        self.move(account, balance=effect)
        self.offline_days.note(case, decision, account)
        measured = self.shelving.measured(self.standing(account), grown=entry.kind in AWARDS)
        self.standings.put(account, measured)
        number = original.record if original else None
        code = next((code for code in decision.codes if code in OVERDRAWING), decision.code)
        self.postings.append(Posting(case.record, entry.id, account, effect, number, code, self.now))
        self.posted_here.setdefault(entry.id, Original(case.record, entry.kind, account, effect))
        if original is not None:
            self.shelving.reverses(case.record, original.record)
            left = msgspec.structs.replace(original, reversed=original.reversed + abs(effect))
            self.put_original(self.standing_for(entry), left)


def _is_word(item: Item) -> bool:
    content = read(item.raw)
    return isinstance(content, Entry) and content.kind is Kind.CORRECTION
