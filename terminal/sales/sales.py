"""What the POS asks: a sale, a redemption, the reversal of one. Decided here, recorded by recording.py."""

from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from drivers.base import Technology
from offline_queue.entry import Card, Entry
from offline_queue.store import JournalReader
from offline_queue.words import Words
from terminal.cards.desk import CardDesk
from terminal.cards.identification import CardFormat, identify_number
from terminal.counter.ladder_desk import LadderDesk
from terminal.counter.reading import Reading
from terminal.counter.refusals import Refused
from terminal.disk import Disk
from terminal.inbox import TransactionAsked
from terminal.pos import CardNumber, Refusal, TransactionRequest, invalid
from terminal.promises.redemptions import Redemptions
from terminal.sales.recording import Recording, digest_of
from terminal.sales.replies import refusing
from terminal.sales.stamps import Stamps
from terminal.sales.transaction import Original, PointsRule, check_key, draft_earn, draft_redemption, draft_reversal

_NOT_OURS: Final = Words(
    "`reverses` names no transaction of this till. No points moved. Reverse it where it was made.",
    "`reverses` ne désigne aucune opération de cette caisse. Aucun point n'a bougé. Annulez à la caisse d'origine.",
)


@dataclass(frozen=True)
class Policy:
    """What the shop has configured for sales."""

    rule: PointsRule
    card_format: CardFormat
    store: str


class Sales:
    """Used by the till's thread alone."""

    def __init__(
        self,
        policy: Policy,
        journal: JournalReader,
        recording: Recording,
        redemptions: Redemptions,
        reading: Reading,
        stamps: Stamps,
        disk: Disk,
        cards: CardDesk,
        ladder: LadderDesk,
    ) -> None:
        self._cards, self._ladder = cards, ladder
        self._policy = policy
        self._journal = journal
        self._recording = recording
        self._redemptions = redemptions
        self._reading = reading
        self._stamps = stamps
        self._disk = disk

    def asked(self, event: TransactionAsked) -> None:
        """A known key hears the first answer again; a new one is decided. Every path answers `event.reply` once."""
        with refusing(event.reply):
            self._decide(event)

    def _decide(self, event: TransactionAsked) -> None:
        check_key(event.key)
        digest = digest_of(event.request)
        if self._recording.repeats(event.key, digest, event.reply):
            return
        if event.request.kind == "redeem":
            self._disk.refuse_redemption()
        card = self.card(event.request.card) if event.request.card else None
        if card is not None and event.request.kind != "reverse":
            card = self._cards.used(card)
        if card is not None:
            self._redemptions.holdings.seen(card.number)
        draft = self._draft(event.request, event.key, card)
        if event.request.kind != "reverse":
            self._ladder.reset()
        flight = self._recording.take_off(event.key, digest, event.reply)
        if event.request.kind == "redeem" and card is not None:
            self._redemptions.seek(flight, draft, card)
        else:
            self._recording.commit(flight, draft)

    def card(self, asked: CardNumber) -> Card:
        """The card that a request names. Raises Refusal."""
        if (asked.number is None) == (asked.read_id is None):
            raise invalid("`card` holds exactly one of `number` and `read_id`.")
        mode = None if asked.entry_mode is msgspec.UNSET else asked.entry_mode
        if asked.read_id is not None:
            if mode is not None:
                raise invalid("`card.entry_mode` goes with `number`; a read has its own.")
            return self._reading.card(asked.read_id)
        keyed = mode != "scanned"
        verdict = identify_number(asked.number or "", self._policy.card_format, keyed=keyed)
        if isinstance(verdict, Refused):
            raise self._ladder.refusal(verdict, Technology.KEYED if keyed else Technology.UNKNOWN)
        return Card(verdict.number, entry_mode=mode)

    def claimant(self, asked: CardNumber) -> Card:
        """The card that gets the points of a claim, as it is named. Raises Refusal."""
        card = self.card(asked)
        self._cards.used(card)
        return card

    def _draft(self, request: TransactionRequest, key: str, card: Card | None) -> Entry:
        rule, stamp = self._policy.rule, self._stamps.stamp()
        if request.receipt is not None and request.receipt.store is None:
            request = replace(request, receipt=replace(request.receipt, store=self._policy.store))
        match request.kind:
            case "earn":
                return draft_earn(request, key, rule, card, stamp)
            case "redeem":
                return draft_redemption(request, key, rule, card, stamp)
            case "reverse":
                original = self._original(request.reverses)
                return draft_reversal(request, key, rule, self._named(card, original), original, stamp)

    def _named(self, card: Card | None, original: Original) -> Card | None:
        """A reversal goes where its original went; the customer may have another card by now."""
        first = original.entry.card
        if card is None or first is None or not self._cards.same(card.number, first.number):
            return card
        return None

    def _original(self, original_id: str | None) -> Original:
        if original_id is None:
            raise invalid("A reversal needs `reverses`: the `id` of the transaction to take back.")
        found = self._journal.find_id(original_id)
        if found is None:
            raise Refusal("not_found", _NOT_OURS)
        return Original(found.entry, self._journal.reversed_points(original_id))
