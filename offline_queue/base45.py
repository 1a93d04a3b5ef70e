"""Base45 (RFC 9285): bytes as characters that a QR code packs tightest. Pure."""

import struct
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_TWO: Final = [low + high for high in ALPHABET for low in ALPHABET]
"""The two characters of each number below 45 * 45, the lower first."""
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Three characters for two bytes, two for a last single one (section 4.1)."""
    pairs = struct.unpack_from(f">{len(data) // 2}H", data)
    last = _TWO[data[-1]] if len(data) % 2 else ""
    return "".join([_TWO[number % 2025] + ALPHABET[number // 2025] for number in pairs]) + last


def decode(text: str) -> bytes:
    """Raises ValueError for what no encoder makes (section 4.2)."""
    return b"".join(_bytes(text[place : place + 3]) for place in range(0, len(text), 3))


def _bytes(group: str) -> bytes:
    if len(group) == 1 or not all(character in _VALUE for character in group):
        raise ValueError(f"{group!r} is no group of base45")
    number = sum(_VALUE[character] * (1, 45, 2025)[place] for place, character in enumerate(group))
    if number >> 8 * (len(group) - 1):
        raise ValueError(f"{group!r} stands for more than its bytes hold")
    return number.to_bytes(len(group) - 1, "big")
