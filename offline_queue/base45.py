"""Base45 (RFC 9285): bytes as characters that a QR code packs tightest. Pure."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Three characters for two bytes, two for a last single one (section 4.1)."""
    return "".join(_characters(data[place : place + 2]) for place in range(0, len(data), 2))


def decode(text: str) -> bytes:
    """Raises ValueError for what no encoder makes (section 4.2)."""
    return b"".join(_bytes(text[place : place + 3]) for place in range(0, len(text), 3))


def _characters(pair: bytes) -> str:
    number, characters = int.from_bytes(pair, "big"), ""
    for _ in range(len(pair) + 1):
        number, value = divmod(number, 45)
        characters += ALPHABET[value]
    return characters


def _bytes(group: str) -> bytes:
    if len(group) == 1 or not all(character in _VALUE for character in group):
        raise ValueError(f"{group!r} is no group of base45")
    number = sum(_VALUE[character] * (1, 45, 2025)[place] for place, character in enumerate(group))
    if number >> 8 * (len(group) - 1):
        raise ValueError(f"{group!r} stands for more than its bytes hold")
    return number.to_bytes(len(group) - 1, "big")
