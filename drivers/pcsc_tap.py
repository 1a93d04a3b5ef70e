"""One presentation of one card: connect, read, make sure that it was one card, let go."""

import time
from itertools import count
from typing import Final

from drivers.apdu import Exchange
from drivers.atr import kind_of
from drivers.base import CardRead, CardUnreadable, EntryMode, Technology
from drivers.bearers import Bearer, bearer_of
from drivers.desfire import NotAuthentic
from drivers.ndef import Damaged
from drivers.passes import NoPass, Reason
from drivers.presence import EVENT_COUNT, PRESENT, READERS_OWN, CardPlace, CardTrouble, Seen, Trouble
from drivers.tags import Content, read_uid
from drivers.wishes import Wishes, read_phone, read_wished

SETTLE_S: Final = 0.6
"""How long a card that failed is tried again: pcscd's drivers notice a card's leaving within 0.4 s."""
GLANCE_S: Final = 0.1

Failure = tuple[str, str]
"""Reason and detail of a CardUnreadable."""

GONE: Final = ("card_gone", "The card left before it was read. Hold it still for a moment.")
MUTE: Final = ("mute", "The card does not answer. Turn it or try its other side.")
HELD: Final = ("card_held", "Another program uses the card. Close it and present the card again.")
NOT_READ: Final = ("not_read", "The reader could not read the card. Present it again.")
DAMAGED: Final = ("damaged", "What is written on the card is damaged. Present it again, or replace it.")
SWAPPED: Final = ("card_swapped", "The card was changed for another while it was read. Lift it and present one card.")
PAYMENT: Final = ("payment_card", "This is a payment card, not a loyalty card. Nothing of it was read or kept.")
NOT_AUTHENTIC: Final = ("not_authentic", "The card does not prove that it is one of ours: it may be a copy.")
UNSUPPORTED: Final = ("unsupported_card", "The card carries nothing that the till can read.")

NO_PASS: Final = {
    Reason.NO_PASS: "The phone has no card of this shop. Add it to the wallet, or show its bar code.",
    Reason.CHOOSE: "The phone has several cards of this shop. Choose one on it and present it again.",
    Reason.LOCKED: "The phone is locked. Unlock it, open the card in the wallet and present it again.",
    Reason.OLD: "The phone tells another time than this till. Set both clocks right, or show the card's bar code.",
    Reason.NOT_TRUSTED: "The phone's card is not for this till: the merchant's number, key or key version differ.",
    Reason.REFUSED: "The phone gives no card now. Unlock it and present it again, or show its bar code.",
}

FAILURES: Final = {
    Trouble.CARD_GONE: GONE,
    Trouble.MUTE: MUTE,
    Trouble.CARD_HELD: HELD,
    Trouble.OTHER: NOT_READ,
}


class TwoCards(Exception):
    """One tap has seen two serial numbers."""


class Refused(Exception):
    """What lies there is no card of ours, and asking again would tell no more."""

    def __init__(self, failure: Failure, technology: Technology) -> None:
        super().__init__(failure[0])
        self.failure = failure
        self.technology = technology


class Tap:
    """Reads until one look goes through, at most SETTLE_S long.

    pcscd says nothing of a swap within 0.4 s, and the old handle then talks to the new card. So the serial
    number is read at both ends of each look, and one that differs in any look makes the tap unreadable.
    """

    def __init__(self, place: CardPlace, seen: Seen, wishes: Wishes) -> None:
        self._place = place
        self._wishes = wishes
        self._seen = seen
        self._kind = kind_of(seen.atr)
        self._uid: str | None = None

    def report(self) -> CardRead | CardUnreadable:
        """Raises CardTrouble when it is the reader or its service that has failed."""
        started = time.monotonic()
        for attempt in count(1):
            try:
                return self._told(self._look(attempt), attempt, started)
            except TwoCards:
                return self._unreadable(SWAPPED)
            except NotAuthentic:
                return self._unreadable(NOT_AUTHENTIC)
            except Refused as refused:
                return CardUnreadable(*refused.failure, self._seen.reader, refused.technology)
            except Damaged:
                failure = DAMAGED
            except CardTrouble as error:
                if error.trouble in READERS_OWN:
                    raise
                failure = FAILURES[error.trouble]
            if self._has_left():
                return self._unreadable(GONE)
            if time.monotonic() - started > SETTLE_S:
                break
        return self._unreadable(failure)

    def _look(self, attempt: int) -> Content:
        """One connection, one transaction."""
        with self._place.card(self._seen.reader) as card:
            self._compare(read_uid(card.exchange))
            bearer = bearer_of(self._kind, card.exchange)
            if bearer is Bearer.PAYMENT_CARD:
                card.powers_down = True
                raise Refused(PAYMENT, Technology.PAYMENT)
            content = self._content(bearer, card.exchange, again=attempt > 1)
            self._compare(read_uid(card.exchange))
        return content

    def _content(self, bearer: Bearer, exchange: Exchange, *, again: bool) -> Content:
        read = read_phone if bearer is Bearer.PHONE else read_wished
        try:
            return read(self._wishes, self._kind, self._uid, exchange, again=again)
        except NoPass as none:
            raise Refused((none.reason, NO_PASS[none.reason]), Technology.PHONE) from none

    def _compare(self, uid: str | None) -> None:
        if self._uid is None:
            self._uid = uid
        elif uid is None:
            raise Damaged("the card tells its serial number no longer")
        elif uid != self._uid:
            raise TwoCards

    def _has_left(self) -> bool:
        """Waits a moment for the reader to notice. The event count also tells of a card that is back already."""
        changes = self._place.wait({self._seen.reader: self._seen.state}, GLANCE_S)
        return any(not now & PRESENT or now >> EVENT_COUNT != self._seen.state >> EVENT_COUNT for _, now, _ in changes)

    def _told(self, content: Content, attempt: int, started: float) -> CardRead | CardUnreadable:
        if self._uid is None and content.text is None and content.technology is not Technology.PHONE:
            return self._unreadable(UNSUPPORTED)
        return CardRead(
            technology=content.technology,
            # A contact card has no serial number to tell the reader, whatever its ATR looks like.
            entry_mode=EntryMode.CONTACTLESS if self._uid else self._kind.entry_mode,
            data=content.text,
            uid=self._uid,
            slot=self._seen.reader,
            chip=content.chip,
            note=content.note,
            effort=attempt,
            duration_ms=round((time.monotonic() - started) * 1000, 3),
        )

    def _unreadable(self, failure: Failure) -> CardUnreadable:
        reason, detail = failure
        return CardUnreadable(reason, detail, self._seen.reader, self._kind.technology)
