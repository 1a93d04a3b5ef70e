"""Numbers and tracks of payment cards, recognised so that they are neither kept nor repeated anywhere. Pure."""

import re
from typing import Final

from terminal.cards.check_digits import luhn

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


def is_payment_card(text: str, claimed: tuple[str, ...] = ()) -> bool:
    """True for track data and for any run of 13-19 digits that is a payment card's by issuer, length and check digit.

    A number that begins with one of the programme's `claimed` prefixes is the programme's own.
    """
    if _TRACK.search(text):
        return True
    digits = _GROUPING.sub("", text)
    if digits.startswith(claimed):
        return False
    return any(_issued_for_payment(run.group()) for run in _DIGITS.finditer(digits))


def _issued_for_payment(digits: str) -> bool:
    head, length = int(digits[:6]), len(digits)
    issued = any(low <= head <= high and length in lengths for low, high, lengths in ISSUERS)
    return issued and luhn(digits)
