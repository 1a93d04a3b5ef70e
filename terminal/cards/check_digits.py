"""Check digits of card numbers: EAN, Luhn and the systems of ISO/IEC 7064. Pure.

Each system is a function from the whole number, check characters included, to whether it is right.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, Literal

System = Literal["none", "ean", "luhn", "mod11-2", "mod37-2", "mod97-10", "mod11-10", "mod37-36"]

DIGITS: Final = "0123456789"
ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_PAIRS: Final = 3
"""More candidates than these help nobody to find the slip."""


def ean(number: str) -> bool:
    """GS1 General Specifications section 7.9: weights 3 and 1 from the right, also of UPC, GTIN, GSRN and SSCC."""
    return _all_in(number, DIGITS) and sum(int(c) * (3 if at % 2 else 1) for at, c in enumerate(number[::-1])) % 10 == 0


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    if not _all_in(number, DIGITS):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in number[-1::-2])) % 10 == 0


def _pure(modulus: int, radix: int, alphabet: str, characters: int) -> Callable[[str], bool]:
    """ISO/IEC 7064 section 7: one or two check characters; `*` or `X` stands for a value above the alphabet."""
    extra = {11: "X", 37: "*"}.get(modulus, "")

    def is_right(number: str) -> bool:
        body, check = number[:-characters], number[-characters:]
        if not _all_in(body, alphabet) or not _all_in(check, alphabet + extra):
            return False
        value = 0
        for character in number:
            value = (value * radix + (alphabet + extra).index(character)) % modulus
        return value == 1

    return is_right


def _hybrid(modulus: int, alphabet: str) -> Callable[[str], bool]:
    """ISO/IEC 7064 section 8: one check character of the alphabet itself; `modulus` is the alphabet's length."""

    def is_right(number: str) -> bool:
        if len(number) < 2 or not _all_in(number, alphabet):
            return False
        carried = modulus
        for character in number[:-1]:
            summed = (carried + alphabet.index(character)) % modulus or modulus
            carried = summed * 2 % (modulus + 1)
        return (carried + alphabet.index(number[-1])) % modulus == 1

    return is_right


SYSTEMS: Final[dict[System, Callable[[str], bool]]] = {
    "none": lambda _: True,
    "ean": ean,
    "luhn": luhn,
    "mod11-2": _pure(11, 2, DIGITS, 1),
    "mod37-2": _pure(37, 2, ALPHANUMERIC, 1),
    "mod97-10": _pure(97, 10, DIGITS, 2),
    "mod11-10": _hybrid(10, DIGITS),
    "mod37-36": _hybrid(36, ALPHANUMERIC),
}


def transposed(number: str, system: System) -> tuple[int, ...]:
    """Where two neighbours, exchanged, make a wrong number right: the first one's place, counted from 1.

    Empty when there is no such pair or so many that pointing at them would not help.
    """
    is_right = SYSTEMS[system]
    places = tuple(
        at
        for at, (one, other) in enumerate(pairwise(number), 1)
        if is_right(number[: at - 1] + other + one + number[at + 1 :])
    )
    return places if len(places) <= MOST_PAIRS else ()


def _all_in(text: str, alphabet: str) -> bool:
    return bool(text) and all(character in alphabet for character in text)
