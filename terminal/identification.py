"""From what a reader or a person gave to a card number of the programme, or the reason why not.

Pure. Numbers of payment cards are neither kept nor repeated in any answer: a refusal holds no digit of them.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from drivers.base import CardRead, EntryMode, Technology

Language = Literal["fr", "en"]

RANDOM_UID_PREFIX: Final = "08"
"""A 4-byte UID that begins so is made anew at each tap (ISO/IEC 14443-3, section 6.5.4): it identifies nobody."""

LONGEST_TOLD: Final = 64
"""Identifiers longer than this are no card number of any programme; nothing of them is repeated."""

_NUMBER = re.compile(r"[0-9A-Za-z-]+\Z", re.ASCII)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_GROUPING = re.compile(r"[ \-.]")
_DIGITS = re.compile(r"[0-9]{13,}")
_TRACK = re.compile(r"%B|^B?[0-9]{12,19}\^|;[0-9]{8,19}=|[0-9]{12,19}[=D^][0-9]{4}")
"""Tracks 1 and 2 of a bank card (ISO/IEC 7813), with or without their start sentinels."""

ISSUERS: Final[tuple[tuple[int, int, frozenset[int]], ...]] = (
    # First six digits from, to (ISO/IEC 7812-1 and the schemes' public tables), lengths in use.
    (222100, 272099, frozenset({16})),  # Mastercard
    (510000, 559999, frozenset({16})),  # Mastercard
    (400000, 499999, frozenset({13, 16, 18, 19})),  # Visa
    (340000, 349999, frozenset({15})),  # American Express
    (370000, 379999, frozenset({15})),  # American Express
    (300000, 305999, frozenset(range(14, 20))),  # Diners Club
    (309500, 309599, frozenset(range(14, 20))),  # Diners Club
    (360000, 369999, frozenset(range(14, 20))),  # Diners Club
    (380000, 399999, frozenset(range(14, 20))),  # Diners Club
    (352800, 358999, frozenset(range(16, 20))),  # JCB
    (601100, 601199, frozenset(range(16, 20))),  # Discover
    (644000, 659999, frozenset(range(16, 20))),  # Discover
    (620000, 629999, frozenset(range(16, 20))),  # UnionPay
    (810000, 829999, frozenset(range(16, 20))),  # UnionPay, RuPay
    (500000, 509999, frozenset(range(13, 20))),  # Maestro
    (560000, 589999, frozenset(range(13, 20))),  # Maestro
    (630000, 639999, frozenset(range(13, 20))),  # Maestro
    (670000, 679999, frozenset(range(13, 20))),  # Maestro
    (220000, 220499, frozenset(range(16, 20))),  # Mir
    (979200, 979299, frozenset({16})),  # Troy
)


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


@dataclass(frozen=True)
class Refused:
    """`reason` is a stable code; `detail` and `steps` are words for the cashier in the till's language."""

    reason: str
    detail: str
    steps: tuple[str, ...]


def identify(read: CardRead, card_format: CardFormat, language: Language) -> Identified | Refused:
    """Judges one presentation of a card."""
    if read.technology is Technology.PAYMENT:
        return refused("payment_card", language)
    if read.data is not None:
        return identify_number(read.data, card_format, language, keyed=read.entry_mode is EntryMode.KEYED)
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


def is_payment_card(text: str, claimed: tuple[str, ...] = ()) -> bool:
    """True for track data and for any run of 13-19 digits that is a payment card's by issuer, length and check digit.

    A number that begins with one of the programme's `claimed` prefixes is the programme's own.
    """
    if _TRACK.search(text):
        return True
    digits = _GROUPING.sub("", text)
    if claimed and digits.startswith(claimed):
        return False
    return any(_issued_for_payment(run.group()) for run in _DIGITS.finditer(digits))


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _issued_for_payment(digits: str) -> bool:
    head, length = int(digits[:6]), len(digits)
    issued = any(low <= head <= high and length in lengths for low, high, lengths in ISSUERS)
    return issued and luhn(digits)


def _identify_uid(uid: str | None, card_format: CardFormat, language: Language) -> Identified | Refused:
    if not uid or not card_format.bare_uid:
        return refused("no_number", language)
    if len(uid) == 8 and uid.startswith(RANDOM_UID_PREFIX):
        return refused("random_uid", language)
    return identify_number(uid.upper(), card_format, language, keyed=False)


def refused(reason: str, language: Language) -> Refused:
    """The words for a reason code."""
    detail, *steps = WORDS[reason][language]
    return Refused(reason, detail, tuple(steps))


WORDS: Final[dict[str, dict[Language, tuple[str, ...]]]] = {
    "payment_card": {
        "en": (
            "This is a payment card, not a loyalty card. Nothing of it was kept and no points moved.",
            "Ask for the loyalty card, or for the code in the customer's phone.",
            "On a phone: open the loyalty pass before holding it to the reader.",
        ),
        "fr": (
            "C'est une carte de paiement, pas une carte de fidélité. Rien n'en a été gardé, aucun point n'a bougé.",
            "Demandez la carte de fidélité ou le code dans le téléphone du client.",
            "Sur un téléphone : ouvrir la carte de fidélité avant de le présenter au lecteur.",
        ),
    },
    "random_uid": {
        "en": (
            "This chip shows another number at every tap, so it identifies nobody. No points moved.",
            "Scan the code in the customer's phone, or key the number printed on the card.",
        ),
        "fr": (
            "Cette puce montre un autre numéro à chaque passage et n'identifie personne. Aucun point n'a bougé.",
            "Scannez le code dans le téléphone du client ou saisissez le numéro imprimé sur la carte.",
        ),
    },
    "no_number": {
        "en": (
            "This card carries no number of our programme. No points moved.",
            "Scan the bar code on the card, or key the number printed on it.",
        ),
        "fr": (
            "Cette carte ne porte aucun numéro de notre programme. Aucun point n'a bougé.",
            "Scannez le code-barres de la carte ou saisissez le numéro imprimé.",
        ),
    },
    "too_long": {
        "en": (
            "This is longer than any number of our programme. No points moved.",
            "Scan the loyalty code alone: another code may have been in view.",
        ),
        "fr": (
            "C'est plus long que tout numéro de notre programme. Aucun point n'a bougé.",
            "Scannez le code de fidélité seul : un autre code était peut-être visible.",
        ),
    },
    "too_short": {
        "en": (
            "This is shorter than any number of our programme. No points moved.",
            "Scan or key the whole number.",
        ),
        "fr": (
            "C'est plus court que tout numéro de notre programme. Aucun point n'a bougé.",
            "Scannez ou saisissez le numéro en entier.",
        ),
    },
    "format": {
        "en": (
            "This is no number of our programme: only letters, digits and hyphens. No points moved.",
            "Scan the loyalty code, not another code on the card or the article.",
        ),
        "fr": (
            "Ce n'est pas un numéro de notre programme : lettres, chiffres et tirets seuls. Aucun point n'a bougé.",
            "Scannez le code de fidélité, pas un autre code de la carte ou de l'article.",
        ),
    },
}
