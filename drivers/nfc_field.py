"""What lies in the field of a bare NFC chip, looked at again and again: one presentation for each card that comes.

A PC/SC reader does this itself. Here the chip only finds cards and carries frames, so this module selects them,
and speaks ISO-DEP to those that take APDUs.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from drivers.atr import kind_of
from drivers.base import CardUnreadable, NoteWish, NoteWritten, Report
from drivers.card_notes import Notes, not_written, write_note
from drivers.iso14443 import ISO_DEP, answer_to_select, card_atr, is_random, storage_atr
from drivers.nfc_desk import Desk
from drivers.nfc_radio import Card, Found, Radio, only_of_the_card
from drivers.pcsc_tap import Tap
from drivers.presence import EVENT_COUNT, LYING, PRESENT, CardTrouble, Change, Connection, Seen, Trouble, change_of
from drivers.wishes import Wishes

LOOK_S: Final = 0.1
"""Between two looks: a customer does not feel it, and it costs a core well under a hundredth."""
MISSES: Final = 2
"""Looks in a row that must find nothing before a card has left: at the edge of a field one look may fail."""


class Field:
    """The place (drivers/presence.py) named `slot`. One thread uses it."""

    def __init__(self, radio: Radio, slot: str, wishes: Wishes) -> None:
        self._radio = radio
        self._slot = slot
        self._wishes = wishes
        self._card: Card | None = None
        self._arrivals = 0
        self._missed = 0
        self._known = 0

    def begin(self, *, reopened: bool) -> CardUnreadable | None:
        """The first look. A card that lies there when the field had to be opened again is told and not read.

        It may be the card of the customer before: it must not answer for the next one.
        """
        self._look()
        if self._card is None or not reopened:
            return None
        self._known = self._state
        return CardUnreadable(*LYING, slot=self._slot)

    def report(self, timeout_s: float) -> Report | None:
        """The next card, read; None when none came."""
        for seen in self.wait({self._slot: self._known}, timeout_s):
            change, self._known = change_of(self._known, seen.state), seen.state
            if change is Change.ARRIVED:
                report = Tap(self, seen, self._wishes).report()
                self._known = self._state  # one that took its place in the middle has to be lifted first
                return report
        return None

    def write_note(self, notes: Notes, wish: NoteWish) -> NoteWritten:
        """To the card that lies there. Raises CardTrouble when it is the chip that has failed."""
        if self._card is None:
            return not_written(wish, "card_gone")
        return write_note(notes, kind_of(self._card.atr), wish, self)

    def wait(self, known: Mapping[str, int], timeout_s: float) -> list[Seen]:
        deadline = time.monotonic() + timeout_s
        while True:
            self._look()
            if self._state != known.get(self._slot):
                return [Seen(self._slot, self._state, self._card.atr if self._card else b"")]
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            time.sleep(min(LOOK_S, left))

    @contextmanager
    def card(self, _reader: str) -> Iterator[Connection]:
        if self._card is None or not self._card.selected:
            self._notice(self._radio.find(None))
        card = self._card
        if card is None:
            raise CardTrouble(Trouble.CARD_GONE, "not found again")
        if not card.selected:
            raise CardTrouble(Trouble.MUTE, "found, and no answer to select")
        connection = Connection(Desk(self._radio, card).answer)
        try:
            yield connection
        except CardTrouble:
            card.selected = False
            raise
        finally:
            if connection.powers_down:
                card.selected = False
                self._radio.off()

    @property
    def _state(self) -> int:
        return self._arrivals << EVENT_COUNT | (PRESENT if self._card else 0)

    def _look(self) -> None:
        if self._card is None or not self._still_there(self._card):
            self._notice(self._radio.find(None))

    def _still_there(self, card: Card) -> bool:
        """Asks for this very card, so that of two in the field one is not taken for the other's coming."""
        if card.selected and card.dep is not None:
            try:
                card.dep(b"")  # without a new activation: phones would ring at each
                self._missed = 0
                return True
            except CardTrouble as trouble:
                only_of_the_card(trouble)
        card.selected = False
        if is_random(card.found.uid) or self._radio.find(card.found.uid) is None:
            return False
        self._missed = 0
        return True

    def _notice(self, found: Found | None) -> None:
        if found is None:
            self._missed += 1
            if self._missed >= MISSES:
                self._card = None
            elif self._card:
                self._card.selected = False
            return
        before, self._card = self._card, self._activated(found)
        self._missed = 0
        if before is not None and before.is_same(found):
            self._card.serial = before.serial
        else:
            self._arrivals += 1

    def _activated(self, found: Found) -> Card:
        if not found.sak & ISO_DEP:
            return Card(found, storage_atr(found.sak), None)
        try:
            answer = answer_to_select(self._radio.select_dep())
        except CardTrouble as trouble:
            only_of_the_card(trouble)
            card = Card(found, card_atr(b""), None)
            card.selected = False
            return card
        return Card(found, card_atr(answer.historical), self._radio.dep(answer))
