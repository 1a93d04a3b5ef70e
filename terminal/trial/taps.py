"""One presentation of a card in a trial, as the sheet tells it: masked, in whole milliseconds. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from drivers.base import CardRead, CardUnreadable, Technology
from offline_queue.entry import masked
from terminal.cards.identification import Identified, Verdict, is_random
from terminal.cards.wear import score
from terminal.counter.failure_words import BROKEN_OFF
from terminal.counter.refusals import WORDS


class TapResult(StrEnum):
    """What became of a tap. In the first two the reader has done its work, in the others it has not."""

    IDENTIFIED = "identified"  # a card of the programme
    REFUSED = "refused"  # read, and not taken: see the reason
    FAILED = "failed"  # broke off: the card may be presented again
    UNREADABLE = "unreadable"  # a card is there and gives no sense


class Serial(StrEnum):
    """What kind of serial number the chip showed; the number itself is never kept."""

    NONE = "none"
    FIXED = "fixed"
    RANDOM = "random"


ANSWERED: Final = frozenset({TapResult.IDENTIFIED, TapResult.REFUSED})
"""The reader has brought what the card has to say."""

CARDS_OWN: Final = frozenset(
    {"unsupported_card", "no_pass", "choose_pass", "phone_locked", "pass_of_another_time", "terminal_not_trusted"}
    | {"phone_refused", "setup_code", *WORDS}
)
"""Reasons by which a driver tells that it has read well and the card is no use here."""

LABELS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Tap(msgspec.Struct, frozen=True):
    """One presentation, the `n`-th from 1, at the time `at` (RFC 3339).

    `label` (A, B, ...) tells cards of one trial apart; empty where the tap shows nothing that stays.
    `read_ms`: from the card's arrival to the reader's word, as its driver tells it; `till_ms`: from that word's arrival
    in the till to the till's judgement. Both None where nobody told.
    `effort`: attempts, as in CardRead; `wear`: 0 to 100, of this tap alone.
    """

    n: int
    at: str
    result: TapResult
    technology: Technology
    entry_mode: str
    reason: str
    detail: str
    card: str
    label: str
    serial: Serial
    read_ms: int | None
    till_ms: int | None
    effort: int | None
    wear: int | None

    @property
    def answered(self) -> bool:
        return self.result in ANSWERED

    @property
    def took_ms(self) -> int | None:
        """As long as the customer waits, None where the driver does not tell its part."""
        return None if self.read_ms is None else self.read_ms + (self.till_ms or 0)


@dataclass(frozen=True)
class Moment:
    """When a tap came: `n`-th of its trial, at a time of day, `till_ms` before now."""

    n: int
    at: str
    till_ms: int | None


def read_tap(moment: Moment, read: CardRead, verdict: Verdict, label: str) -> Tap:
    """A card that was read; `verdict` is what the till makes of it."""
    identified = isinstance(verdict, Identified)
    return Tap(
        *(moment.n, moment.at),
        result=TapResult.IDENTIFIED if identified else TapResult.REFUSED,
        technology=read.technology,
        entry_mode=read.entry_mode.value,
        reason="" if isinstance(verdict, Identified) else verdict.reason,
        detail="" if isinstance(verdict, Identified) else verdict.detail.en,
        card=masked(verdict.number) if isinstance(verdict, Identified) else "",
        label=label,
        serial=serial_of(read),
        read_ms=round(read.duration_ms) if read.duration_ms else None,
        till_ms=moment.till_ms,
        effort=read.effort,
        wear=score(read.technology, read.effort),
    )


def failed_tap(moment: Moment, failure: CardUnreadable) -> Tap:
    """A card that could not be read, or that the driver has refused; its own words are for technicians."""
    broken_off = failure.reason in BROKEN_OFF
    unread = TapResult.FAILED if broken_off else TapResult.UNREADABLE
    result = TapResult.REFUSED if failure.reason in CARDS_OWN else unread
    return Tap(
        *(moment.n, moment.at),
        result=result,
        technology=failure.technology,
        entry_mode="",
        reason=failure.reason,
        detail=failure.detail,
        card="",
        label="",
        serial=Serial.NONE,
        read_ms=None,
        till_ms=moment.till_ms,
        effort=None,
        wear=None,
    )


def serial_of(read: CardRead) -> Serial:
    """Phones make their serial number anew whatever it begins with."""
    if not read.uid:
        return Serial.NONE
    random = is_random(read.uid) or read.technology is Technology.PHONE
    return Serial.RANDOM if random else Serial.FIXED


def face_of(read: CardRead, verdict: Verdict) -> str | None:
    """By what the same card is known again within one trial, None where it shows nothing that stays. Never stored."""
    if isinstance(verdict, Identified):
        return f"number {verdict.number}"
    if read.uid and serial_of(read) is Serial.FIXED:
        return f"serial {read.uid}"
    return None if read.data is None else f"text {read.data}"


def label_of(place: int) -> str:
    """The name of the card that came `place`-th (from 0) among those of its trial."""
    return LABELS[place] if place < len(LABELS) else f"{LABELS[place % len(LABELS)]}{place // len(LABELS)}"
