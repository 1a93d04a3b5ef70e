"""Cards at the counter: which card is used for the one presented, and what a person says has happened to a card."""

from typing import Final

import msgspec

from offline_queue.entry import Card, CardEvent, Entry, Happening, Kind, State, masked
from offline_queue.store import JournalReader
from offline_queue.wire_feeds import Verdict
from offline_queue.words import Words, in_a_row
from terminal.cards.forwarding import BLOCKED, UNKNOWN, Stands, listed_after
from terminal.cards.hotlist import Hotlist
from terminal.cards.identification import CardFormat, identify_number
from terminal.counter.refusals import Refused, refused
from terminal.inbox import CardEventAsked
from terminal.pos import CardEventAnswer, CardView, Refusal, invalid
from terminal.sales.recording import Recording, digest_of
from terminal.sales.replies import refusing
from terminal.sales.stamps import Stamps
from terminal.sales.transaction import check_key
from terminal.texts import refuse_hidden

_FORWARDED: Final = Words(
    en="This card was {was}: its points are on card {number}, and that one is used instead.",
    fr="Cette carte a été {was} : ses points sont sur la carte {number}, utilisée à sa place.",
)
_WAS: Final = {
    "replaced": Words("replaced", "remplacée"),
    "merged": Words("merged with another", "fusionnée avec une autre"),
}
_INACTIVE: Final = Words(
    en="This card is not active yet: what it earns is kept and credited when it is activated.",
    fr="Cette carte n'est pas encore active : ce qu'elle gagne est gardé et crédité à son activation.",
)


class CardDesk:
    """Used by the till's thread alone."""

    def __init__(
        self,
        hotlist: Hotlist,
        journal: JournalReader,
        recording: Recording,
        stamps: Stamps,
        card_format: CardFormat,
    ) -> None:
        self._hotlist, self._journal, self._recording, self._stamps = hotlist, journal, recording, stamps
        self._card_format = card_format

    def resume(self) -> None:
        """Events that the ledger has not decided hold at this till, also after its directory was lost."""
        for found in self._journal.undecided():
            self.recorded(found.entry)

    def judged(self, number: str) -> Stands | Refused:
        """The card to use for this one, or why none may be."""
        stands = self._hotlist.stands(number)
        return refused("card_blocked") if stands.status == BLOCKED else stands

    def used(self, card: Card) -> Card:
        """The card that stands for this one. Raises Refusal("card_refused")."""
        stands = self.judged(card.number)
        if isinstance(stands, Refused):
            raise _refusal(stands)
        return msgspec.structs.replace(card, number=stands.number)

    def same(self, one: str, other: str) -> bool:
        """Whether two numbers are of one card by now."""
        return self._hotlist.stands(one).number == self._hotlist.stands(other).number

    def kin(self, number: str) -> list[str]:
        """All numbers that are of one card by now."""
        return self._hotlist.kin(number)

    def hints(self, stands: Stands) -> list[Words]:
        """Words for the cashier about a card that may be used."""
        said = []
        if stands.was is not None:
            said.append(_FORWARDED.of(was=_WAS.get(stands.was, stands.was), number=masked(stands.number)))
        if stands.status == "inactive":
            said.append(_INACTIVE)
        return said

    def view(self, number: str, *, heard: bool) -> tuple[str, CardView | None]:
        """What the card itself is, and the card that is used for it, for an authorised POS.

        `heard`: the ledger has told of its account. `unknown` is a card of which nobody has told this till anything.
        """
        stands = self._hotlist.stands(number)
        if stands.was is None:
            return stands.status if heard or self._hotlist.has(number) else UNKNOWN, None
        return stands.was, CardView(masked(stands.number), stands.number)

    def asked(self, event: CardEventAsked) -> None:
        """Every path answers `event.reply` once."""
        with refusing(event.reply):
            self._decide(event)

    def recorded(self, entry: Entry) -> None:
        """An entry is durable: what it says of a card holds from now on."""
        if entry.kind is Kind.CARD_EVENT and entry.card is not None and entry.event is not None:
            self._hotlist.did(entry.id, entry.card.number, entry.event)

    def decided(self, entry: Entry, verdict: Verdict) -> None:
        """The ledger's word on it; while that is not final it holds here."""
        if entry.kind is Kind.CARD_EVENT and verdict.state is not State.PARKED:
            self._hotlist.decided(entry.id, posted=verdict.state is State.POSTED)

    def _decide(self, event: CardEventAsked) -> None:
        digest = digest_of((event.number, event.happened))
        if event.key is not None:
            check_key(event.key)
            if self._recording.repeats(event.key, digest, event.reply):
                return
        entry = self._drafted(event)
        after = listed_after(event.happened)
        said = CardEventAnswer(
            id=entry.id,
            kind=entry.kind,
            happening=event.happened.happening,
            state=State.QUEUED,
            card=CardView(masked(entry.card.number if entry.card else "")),
            status=after.status,
            successor=CardView(masked(after.successor)) if after.successor else None,
        )
        flight = self._recording.take_off(entry.key, digest, event.reply)
        self._recording.commit(flight, entry, shaped=lambda _: said)

    def _drafted(self, event: CardEventAsked) -> Entry:
        refuse_hidden("operator", event.operator)
        refuse_hidden("reason", event.happened.reason)
        number, happened, stamp = self._number(event.number), event.happened, self._stamps.stamp()
        if happened.happening is Happening.REPLACE:
            happened = msgspec.structs.replace(happened, successor=self._successor(number, happened))
        if happened.happening is Happening.ACTIVATE:
            self.used(Card(number))
        entry = stamp.entry(Kind.CARD_EVENT, event.key or f"card:{stamp.id}")
        return msgspec.structs.replace(entry, card=Card(number), event=happened, operator=event.operator)

    def _successor(self, number: str, happened: CardEvent) -> str:
        """Raises Refusal where the new card cannot stand for the old one, as far as this till can know."""
        successor = self._number(happened.successor or "")
        stands = self.judged(successor)
        if isinstance(stands, Refused):
            raise _refusal(stands)
        already = self._hotlist.stands(number)
        if stands.number == number or (already.was is None and successor == number):
            raise invalid("`successor` is the card itself, or one that this card stands for already.")
        return successor

    def _number(self, text: str) -> str:
        verdict = identify_number(text, self._card_format)
        if isinstance(verdict, Refused):
            raise _refusal(verdict)
        return verdict.number


def _refusal(why: Refused) -> Refusal:
    return Refusal("card_refused", in_a_row([why.detail, *why.steps]), why.reason, why.steps)
