"""Notes on cards: what a card carries from till to till while the ledger has not got it: a lost till loses no point.

Written only while the ledger is out of reach, taken off again once it has everything. A note never decides a sale: it
is a copy, and one that could not be written is only told.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from drivers.base import CardRead, NoteWish
from offline_queue.claim_codes import KEY_PREFIX, Code
from offline_queue.counted import in_points
from offline_queue.entry import Card, Entry, Kind, State, masked
from offline_queue.store import JournalReader
from offline_queue.words import Words
from terminal.cards.note_codes import MOST_CODES, codes_in, is_understood, packed
from terminal.claims.desk import Claims
from terminal.claims.issue import ClaimIssue
from terminal.inbox import Answered, NoteTold
from terminal.pos import CardView

log = logging.getLogger("notes")

WriteNote = Callable[[str, NoteWish], None]
"""Asks a reader to write; what became of it comes back as NoteTold."""

GONE: Final = frozenset({"card_gone", "other_card"})
"""The customer was quicker: nothing to tell anybody."""

WAITING: Final = frozenset({State.QUEUED, None})
"""States of a sale that is not with the ledger, as far as this till knows."""

_FOUND: Final = Words(
    en="Found on the card: {points} of a sale at till {terminal}. That sale will count once.",
    fr="Trouvé sur la carte : {points} d'une vente à la caisse {terminal}. Elle comptera une seule fois.",
)


@dataclass(frozen=True)
class Lying:
    """A card where it was read last: its numbers, its place for a note, and what stands or shall stand there."""

    numbers: tuple[str, ...]
    slot: str
    uid: str
    room: int
    note: bytes


class CardNotes:
    """Used by the till's thread alone. `write` is None where the shop wants no notes."""

    def __init__(
        self,
        issue: ClaimIssue,
        claims: Claims,
        journal: JournalReader,
        publish: Callable[[str, object], None],
        write: WriteNote | None,
    ) -> None:
        self._issue = issue
        self._claims = claims
        self._journal = journal
        self._publish = publish
        self._write = write
        self._undecided: dict[str, list[str]] = {}
        self._lying: dict[tuple[str, str], Lying] = {}
        self._found: dict[str, str] = {}
        self._reachable = True

    def resume(self) -> None:
        """Takes up what an earlier start has not sent."""
        if self._write is not None:
            for found in self._journal.undecided():
                self._note(found.entry)

    def presented(self, reader: str, read: CardRead, numbers: Sequence[str]) -> None:
        """A card that may be used; `numbers` are the one it shows and the one that it stands for."""
        if self._write is None or read.note is None or read.uid is None or read.slot is None:
            return
        for code in codes_in(read.note.data):
            self._deliver(reader, read, code, numbers)
        place = reader, read.slot
        self._lying[place] = Lying(tuple(dict.fromkeys(numbers)), read.slot, read.uid, read.note.room, read.note.data)
        self._bring_up_to_date(place)

    def recorded(self, entry: Entry) -> None:
        """An entry of this till has become durable."""
        if self._write is None:
            return
        self._note(entry)
        if (found := self._found.pop(entry.key, None)) is not None:
            self._tell_found(found, entry)
        for place, card in list(self._lying.items()):
            if entry.card is not None and entry.card.number in card.numbers:
                self._bring_up_to_date(place)

    def decided(self, entry: Entry) -> None:
        """The ledger has said its first word on it."""
        if entry.card is not None and entry.id in self._undecided.get(entry.card.number, ()):
            self._undecided[entry.card.number].remove(entry.id)
            if not self._undecided[entry.card.number]:
                del self._undecided[entry.card.number]

    def ledger(self, *, reachable: bool) -> None:
        self._reachable = reachable
        for place in list(self._lying):
            self._bring_up_to_date(place)

    def told(self, event: NoteTold) -> None:
        """A card that could not be written is not tried again before it is presented again."""
        written = event.written
        if written.failure is None:
            codes = len(codes_in(written.data))
            log.info("a note of %d sales was written on a card at %s", codes, event.reader)
            told = {"reader": event.reader, "what": "written" if codes else "cleared", "sales": codes}
            self._publish("card_note", told)
            return
        self._lying = {place: card for place, card in self._lying.items() if card.uid != written.uid}
        log.info("no note was written at %s: %s", event.reader, written.detail)
        if written.failure not in GONE:
            failed = {
                "reader": event.reader,
                "what": "not_written",
                "reason": written.failure,
                "detail": written.detail,
            }
            self._publish("card_note", failed)

    def _note(self, entry: Entry) -> None:
        if entry.kind is Kind.EARN and entry.card is not None and entry.points > 0:
            self._undecided.setdefault(entry.card.number, []).append(entry.id)

    def _deliver(self, reader: str, read: CardRead, code: Code, numbers: Sequence[str]) -> None:
        """As a claim that the customer brings: once, whoever else brings it. What is known here is left alone."""
        number = next(filter(code.sale.on, numbers), None)
        if number is None or self._state_of(code) is not None:
            return
        key = f"{KEY_PREFIX}{code.sale.key}"
        self._found[key] = reader
        reply: Future[Answered] = Future()
        reply.add_done_callback(partial(self._answered, key))
        self._claims.found(code, Card(number, read.technology.value, read.entry_mode.value), reply)

    def _answered(self, key: str, reply: "Future[Answered]") -> None:
        """A code that was not taken stays on the card, for a till or a day that can prove it."""
        if (error := reply.exception()) is not None:
            self._found.pop(key, None)
            log.warning("a code on a card was not taken: %s", error)

    def _tell_found(self, reader: str, entry: Entry) -> None:
        if entry.card is None or entry.claim is None:
            return
        detail = _FOUND.of(points=in_points(entry.points), terminal=entry.claim.terminal)
        card = CardView(masked(entry.card.number), entry.card.number)
        told = {"reader": reader, "what": "found", "card": card, "points": entry.points, "detail": detail}
        self._publish("card_note", told)

    def _bring_up_to_date(self, place: tuple[str, str]) -> None:
        """Asks for what should stand on the card, where it is not what stands there.

        What a later version has written gives way to new sales only.
        """
        card = self._lying[place]
        wanted = packed(self._wanted(card), card.room)
        if wanted != card.note and self._write is not None and (wanted or is_understood(card.note)):
            self._lying[place] = replace(card, note=wanted)
            self._write(place[0], NoteWish(card.slot, card.uid, wanted))

    def _wanted(self, card: Lying) -> list[bytes]:
        """Our own sales first, the newest first; then what stood there and is not with the ledger as far as we know."""
        own = [] if self._reachable else list(self._own(card.numbers))
        standing = [code for code in codes_in(card.note) if code.raw not in own]
        return own + [code.raw for code in standing if self._state_of(code) in WAITING]

    def _own(self, numbers: Sequence[str]) -> Iterator[bytes]:
        entries = sorted((entry for number in numbers for entry in self._undecided.get(number, ())), reverse=True)
        for found in map(self._journal.find_id, entries[:MOST_CODES]):
            proof = self._issue.proof(found.entry) if found and found.state is State.QUEUED else None
            if proof is not None:
                yield proof

    def _state_of(self, code: Code) -> State | None:
        """How far this till has brought a sale: as its own, or as a claim. None where it does not know of it."""
        keys = (code.sale.key, f"{KEY_PREFIX}{code.sale.key}")
        return next((found.state for found in map(self._journal.find_key, keys) if found), None)
