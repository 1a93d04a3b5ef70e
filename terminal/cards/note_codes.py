"""What a note on a card says: the newest sales of this card that the ledger has not got, as signed claim codes. Pure.

A CBOR array of byte strings, the newest first. Receipt and store are left out: anybody with a phone can read a tag.
"""

from collections.abc import Sequence
from typing import Final

from offline_queue import plain_cbor
from offline_queue.claim_codes import Code, Unreadable, read_bytes

MOST_CODES: Final = 4
"""In one note; the largest has room for three of the usual length."""


def packed(codes: Sequence[bytes], room: int) -> bytes:
    """As many of the first codes as fit; empty for none."""
    while codes:
        note = plain_cbor.encode(list(codes[:MOST_CODES]))
        if len(note) <= room and len(codes) <= MOST_CODES:
            return note
        codes = codes[: min(len(codes) - 1, MOST_CODES)]
    return b""


def codes_in(note: bytes) -> list[Code]:
    """Those that can be read; nothing is proven yet. No bytes make it fail."""
    try:
        items = plain_cbor.decode(note)
    except ValueError:
        return []
    raws = [item for item in items if isinstance(item, bytes)] if isinstance(items, list) else []
    return [code for raw in raws[:MOST_CODES] if (code := _code(raw)) is not None]


def is_understood(note: bytes) -> bool:
    """Whether all of it is codes that this version reads; what is not may be a later version's."""
    return packed([code.raw for code in codes_in(note)], len(note)) == note


def _code(raw: bytes) -> Code | None:
    try:
        return read_bytes(raw)
    except Unreadable:
        return None
