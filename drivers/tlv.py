"""BER-TLV as cards speak it (ISO/IEC 8825-1, ISO/IEC 7816-4 section 5.2.2): a pure parser with bounds.

Tags are their bytes read as one number: 0x61, 0xBF0C. Values of constructed tags hold items of their own.
"""

from collections.abc import Iterator
from typing import Final

from drivers.ndef import Damaged

MAX_DEPTH: Final = 6
"""Deeper than any card's file control information nests."""
MAX_ITEMS: Final = 128

_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_CONTINUED: Final = 0x80
_MAX_TAG: Final = 3
_MAX_LENGTH: Final = 2
"""Bytes of a tag and of a long length; EMV and ISO 7816-4 use no more on cards."""


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value, one after the other; padding bytes 00 and FF between items are skipped. Raises Damaged."""
    at, count = 0, 0
    while at < len(data):
        if data[at] in (0x00, 0xFF):
            at += 1
            continue
        count += 1
        if count > MAX_ITEMS:
            raise Damaged(f"more than {MAX_ITEMS} items")
        tag_end = _tag_end(data, at)
        start, end = _value(data, tag_end)
        yield int.from_bytes(data[at:tag_end], "big"), data[start:end]
        at = end


def find(data: bytes, tag: int, depth: int = MAX_DEPTH) -> bytes | None:
    """The value of the first `tag`, however deep, None when there is none. Raises Damaged."""
    for found, value in items(data):
        if found == tag:
            return value
        if depth and _is_constructed(found):
            inner = find(value, tag, depth - 1)
            if inner is not None:
                return inner
    return None


def _is_constructed(tag: int) -> bool:
    first = tag >> 8 * ((tag.bit_length() - 1) // 8)
    return bool(first & _CONSTRUCTED)


def _tag_end(data: bytes, at: int) -> int:
    """Where the tag at `at` ends: bits 1 to 5 all set mean that more bytes follow."""
    end = at + 1
    if data[at] & _LONG_TAG == _LONG_TAG:
        while end < len(data) and data[end] & _CONTINUED:
            end += 1
        end += 1
    if end - at > _MAX_TAG:
        raise Damaged("a tag is too long")
    return end


def _value(data: bytes, at: int) -> tuple[int, int]:
    """Start and end of the value whose length stands at `at`."""
    if at >= len(data):
        raise Damaged("a length is missing")
    length, start = data[at], at + 1
    if length & _CONTINUED:
        count = length & ~_CONTINUED
        if not 0 < count <= _MAX_LENGTH or start + count > len(data):
            raise Damaged("a length breaks off or is too long")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + length > len(data):
        raise Damaged(f"a value of {length} bytes breaks off")
    return start, start + length
