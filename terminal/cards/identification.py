"""From what a reader or a person gave to a card number of the programme, or the reason why not.

Pure: the clock is an argument. No refusal repeats a digit of what was read.
"""

import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from drivers.base import CardRead, EntryMode, Technology
from offline_queue.entry import CardProof
from terminal.cards.check_digits import transposed
from terminal.cards.links import MEMBER, LinkRule, is_link, number_in
from terminal.cards.number_formats import NumberFormat, fits, mistyped
from terminal.cards.payment_numbers import is_payment_card
from terminal.cards.rotating_codes import Code, RotatingRule, SignedRule, rotating, signed
from terminal.cards.sdm import SdmRule, Tapped, is_message, opened
from terminal.counter.refusals import Refused, mistyped_words, refused

RANDOM_UID_PREFIX: Final = "08"
"""A 4-byte UID that begins so is made anew at each tap (ISO/IEC 14443-3, section 6.5.4): it identifies nobody."""

_NUMBER = re.compile(r"[0-9A-Za-z-]+\Z", re.ASCII)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class CardFormat:
    """What a number of this programme looks like.

    `prefixes` claim numbers for the programme that would otherwise pass for payment cards; `formats`, where there
    are any, are the only ones taken, and claim their own prefixes. `bare_uid` takes a chip's serial number where
    the card carries no number: an identifier that anybody can copy, never a proof. `only_original` refuses chips
    that cannot show their maker's signature.
    """

    shortest: int = 4
    longest: int = 64
    prefixes: tuple[str, ...] = ()
    bare_uid: bool = False
    formats: tuple[NumberFormat, ...] = ()
    only_original: bool = False

    @property
    def claimed(self) -> tuple[str, ...]:
        return self.prefixes + tuple(one.prefix for one in self.formats if one.prefix)


@dataclass(frozen=True)
class Recognition:
    """Everything by which this programme recognises its cards; None where it makes no such cards."""

    card_format: CardFormat = CardFormat()
    sdm: SdmRule | None = None
    rotating: RotatingRule | None = None
    signed: SignedRule | None = None
    links: LinkRule | None = None


@dataclass(frozen=True)
class Proof:
    """A presentation that counts once: whoever takes it remembers `counter`, and takes only a greater one again."""

    subject: str
    counter: int

    @property
    def told(self) -> CardProof:
        """As it goes with the entry: by a digest, for chips and codes alike."""
        return CardProof(sha256(self.subject.encode()).hexdigest()[:32], self.counter)


@dataclass(frozen=True)
class Identified:
    """A number of the programme, as it is printed: no case or check digit is changed."""

    number: str
    proof: Proof | None = None


Verdict = Identified | Refused


def identify(read: CardRead, recognition: Recognition, now_ms: int) -> Verdict:
    """Judges one presentation of a card; `now_ms` is Unix time."""
    if read.technology is Technology.PAYMENT:
        return refused("payment_card")
    if recognition.card_format.only_original and read.chip is not None and read.chip.original is False:
        return refused("imitation")
    if read.data is not None:
        return _identify_text(read, read.data.strip(), recognition, now_ms)
    if read.technology is Technology.PHONE:
        return refused("phone")
    return _identify_uid(read.uid, recognition.card_format)


def _identify_text(read: CardRead, text: str, recognition: Recognition, now_ms: int) -> Verdict:
    """What proves something comes before what only says something."""
    card_format = recognition.card_format
    if recognition.sdm is not None and is_message(recognition.sdm, text):
        return _identify_tapped(read, opened(recognition.sdm, text), recognition.sdm, card_format)
    if recognition.signed is not None and (code := signed(recognition.signed, text, now_ms)):
        return _identify_code(code, "signed", card_format)
    if recognition.rotating is not None and (code := rotating(recognition.rotating, text, now_ms)):
        return _identify_code(code, "rotating", card_format)
    if is_link(text):
        number = None if recognition.links is None else number_in(recognition.links, text)
        return refused("foreign_link") if number is None else _scanned(number, card_format)
    if member := dict(read.elements).get(MEMBER):
        return _scanned(member, card_format)
    return identify_number(text, card_format, keyed=read.entry_mode is EntryMode.KEYED)


def _identify_tapped(read: CardRead, tapped: Tapped | None, rule: SdmRule, card_format: CardFormat) -> Verdict:
    """A message counts only from the chip that it names, over the air: as a picture or on another chip it is a copy."""
    if tapped is None or read.entry_mode is not EntryMode.CONTACTLESS:
        return refused("not_authentic")
    if read.uid and not is_random(read.uid) and read.uid.upper() != tapped.uid:
        return refused("not_authentic")
    proof = Proof(f"sdm:{tapped.uid}", tapped.counter)
    if rule.number == "uid":
        return Identified(tapped.uid, proof)
    return _with_proof(_scanned(tapped.data or "", card_format), proof)


def _identify_code(code: Code, kind: str, card_format: CardFormat) -> Verdict:
    if code.moment is None:
        return refused("stale_code")
    proof = Proof(f"{kind}:{code.number}", code.moment)
    return _with_proof(_scanned(code.number, card_format), proof)


def _with_proof(verdict: Verdict, proof: Proof) -> Verdict:
    return Identified(verdict.number, proof) if isinstance(verdict, Identified) else verdict


def _scanned(number: str, card_format: CardFormat) -> Verdict:
    return identify_number(number, card_format, keyed=False)


def identify_number(text: str, card_format: CardFormat, *, keyed: bool = True) -> Identified | Refused:
    """Judges a number that a person typed, the POS sent or a bar code carried.

    Blanks and control characters around it are dropped (scanners add them); within it only where a person
    types, for people type numbers in the groups that are printed on the card.
    """
    number = _BLANK.sub("" if keyed else " ", text).strip()
    if is_payment_card(number, card_format.claimed):
        return refused("payment_card")
    if not number:
        return refused("no_number")
    if len(number) > card_format.longest:
        return refused("too_long")
    if len(number) < card_format.shortest:
        return refused("too_short")
    if not _NUMBER.match(number):
        return refused("format")
    return _of_the_programme(number, card_format.formats, keyed=keyed)


def _of_the_programme(number: str, formats: tuple[NumberFormat, ...], *, keyed: bool) -> Identified | Refused:
    """A slip of the fingers is pointed at; a scanner makes none, so there a wrong check digit is another code."""
    if not formats or fits(number, formats):
        return Identified(number)
    meant = mistyped(number, formats)
    if meant is None:
        return refused("foreign_number")
    return mistyped_words(transposed(number, meant.check) if keyed else ())


def _identify_uid(uid: str | None, card_format: CardFormat) -> Identified | Refused:
    if not uid or not card_format.bare_uid:
        return refused("no_number")
    if is_random(uid):
        return refused("random_uid")
    return identify_number(uid.upper(), replace(card_format, formats=()), keyed=False)


def is_random(uid: str) -> bool:
    """Whether a serial number (hex) is made anew at each tap."""
    return len(uid) == 8 and uid.startswith(RANDOM_UID_PREFIX)
