"""Bytes as lines that a person can type: Crockford's base32, each line with its own check character. Pure.

A wrong, missing or exchanged character, or two lines exchanged, is found in its line. The check is a weighted sum in
the field of 32 elements (x^5 + x^2 + 1): the place of each character, and the line's number, count.
"""

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""https://www.crockford.com/base32.html: no I, L, O, U, and whoever types one of the first three is understood."""
LINE: Final = 20
"""Characters of a line before its check."""
GROUP: Final = 5

_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_NEW_LINE: Final = re.compile(r"(?<![^\s,;/])[0-9]{1,2}[.:)]|[\n,;/]")
_IGNORED: Final = re.compile(r"[\s\-_·]")


class Mistyped(ValueError):
    """`line`, from 1, does not fit its check; 0 where that cannot be told."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line} {what}" if line else what)
        self.line = line


class CutShort(Mistyped):
    """Every line fits, and what they make is not whole: `line` is the last that is there."""


def encode(data: bytes) -> list[str]:
    """`1. ABCDE FGHJK MNPQR STVWX Y`, and so on."""
    symbols = _symbols(data)
    return [
        _line(number, symbols[place : place + LINE]) for number, place in enumerate(range(0, len(symbols), LINE), 1)
    ]


def decode(text: str) -> bytes:
    """Tolerates any case, spaces, hyphens, missing line numbers, and lines that run on. Raises Mistyped."""
    lines = [line for part in _NEW_LINE.split(text) if (line := _IGNORED.sub("", part).upper())]
    if len(lines) == 1:
        lines = [lines[0][place : place + LINE + 1] for place in range(0, len(lines[0]), LINE + 1)]
    symbols = [symbol for number, line in enumerate(lines, 1) for symbol in _checked(number, line, len(lines))]
    return _bytes(symbols, len(lines))


def _symbols(data: bytes) -> list[int]:
    bits = len(data) * 8
    padded = int.from_bytes(data, "big") << -bits % 5
    return [padded >> place & 31 for place in range((bits + 4) // 5 * 5 - 5, -1, -5)]


def _bytes(symbols: list[int], lines: int) -> bytes:
    bits = len(symbols) * 5
    number = 0
    for symbol in symbols:
        number = number << 5 | symbol
    spare = bits % 8
    if not symbols:
        raise Mistyped(0, "nothing is there")
    if spare >= 5 or number & (1 << spare) - 1:
        raise CutShort(lines, "is not the last: lines are missing after it")
    return (number >> spare).to_bytes(bits // 8, "big")


def _line(number: int, symbols: list[int]) -> str:
    characters = "".join(ALPHABET[symbol] for symbol in symbols)
    groups = " ".join(characters[place : place + GROUP] for place in range(0, len(characters), GROUP))
    return f"{number}. {groups} {ALPHABET[_check(number, symbols)]}"


def _checked(number: int, line: str, lines: int) -> list[int]:
    """The symbols of a line without its check."""
    if foreign := next((character for character in line if character not in _VALUE), None):
        raise Mistyped(number, f"has {foreign!r}, which no code has")
    if len(line) != LINE + 1 and (number < lines or not 1 < len(line) <= LINE):
        raise Mistyped(number, f"has {len(line)} characters instead of {LINE + 1}")
    *symbols, check = (_VALUE[character] for character in line)
    if check != _check(number, symbols):
        raise Mistyped(number, "does not fit its check character: compare it with the receipt")
    return symbols


def _check(number: int, symbols: list[int]) -> int:
    """Horner's scheme: each symbol is weighted by a power of x of its own, the check itself by none."""
    total = number % 32
    for symbol in symbols:
        total = _times_x(total) ^ symbol
    return _times_x(total)


def _times_x(element: int) -> int:
    return (element << 1) ^ (0b100101 if element & 16 else 0)
