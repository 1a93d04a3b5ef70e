"""From what a reader or a person gave to a card number of the programme, or the reason why not.

Pure: the clock is an argument. No refusal repeats a digit of what was read.
"""

import re
from dataclasses import dataclass
from typing import Final

from drivers.base import CardRead, EntryMode, Technology
from terminal.payment_numbers import is_payment_card
from terminal.refusals import Language, Refused, refused

RANDOM_UID_PREFIX: Final = "08"
"""A 4-byte UID that begins so is made anew at each tap (ISO/IEC 14443-3, section 6.5.4): it identifies nobody."""

LONGEST_TOLD: Final = 64
"""Identifiers longer than this are no card number of any programme; nothing of them is repeated."""

_NUMBER = re.compile(r"[0-9A-Za-z-]+\Z", re.ASCII)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class CardFormat:
    """What a number of this programme looks like.

    `prefixes` claim numbers for the programme that would otherwise pass for payment cards. `bare_uid` takes a
    chip's serial number where the card carries no number: an identifier that anybody can copy, never a proof.
    """

    shortest: int = 4
    longest: int = 64
    prefixes: tuple[str, ...] = ()
    bare_uid: bool = False


@dataclass(frozen=True)
class Identified:
    """A number of the programme, as it is printed: no case or check digit is changed."""

    number: str


def identify(read: CardRead, card_format: CardFormat, language: Language) -> Identified | Refused:
    """Judges one presentation of a card."""
    if read.technology is Technology.PAYMENT:
        return refused("payment_card", language)
    if read.data is not None:
        return identify_number(read.data, card_format, language, keyed=read.entry_mode is EntryMode.KEYED)
    if read.technology is Technology.PHONE:
        return refused("phone", language)
    return _identify_uid(read.uid, card_format, language)


def identify_number(
    text: str, card_format: CardFormat, language: Language, *, keyed: bool = True
) -> Identified | Refused:
    """Judges a number that a person typed, the POS sent or a bar code carried.

    Blanks and control characters around it are dropped (scanners add them); within it only where a person
    types, for people type numbers in the groups that are printed on the card.
    """
    number = _BLANK.sub("" if keyed else " ", text).strip()
    if is_payment_card(number, card_format.prefixes):
        return refused("payment_card", language)
    if not number:
        return refused("no_number", language)
    if len(number) > card_format.longest:
        return refused("too_long", language)
    if len(number) < card_format.shortest:
        return refused("too_short", language)
    if not _NUMBER.match(number):
        return refused("format", language)
    return Identified(number)


def _identify_uid(uid: str | None, card_format: CardFormat, language: Language) -> Identified | Refused:
    if not uid or not card_format.bare_uid:
        return refused("no_number", language)
    if len(uid) == 8 and uid.startswith(RANDOM_UID_PREFIX):
        return refused("random_uid", language)
    return identify_number(uid.upper(), card_format, language, keyed=False)
