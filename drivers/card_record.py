"""A note on a card that survives the card's being pulled away at any byte: two slots, the older one is written. Pure.

A slot holds a CRC-32, the mark `t1`, a sequence number, the note's length (10 bytes in all, big-endian), then the note
itself, which is opaque here. The first page, the CRC, is written last: until it is there, the other slot counts. The
CRC covers the card's serial number too, so a record copied or strayed to another card is none there.
"""

import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

PAGE: Final = 4
"""Bytes that a tag writes at once (NTAG21x data sheet section 10.3)."""
HEAD: Final = 10
MOST: Final = 512
"""Bytes of a note; far more than any card that we write has room for."""

_CRC: Final = 4
_MARK: Final = b"t1"
_SEQUENCE: Final = 1 << 16


class Record(NamedTuple):
    """`sequence` counts the records of a card modulo 65536."""

    sequence: int
    data: bytes


class Plan(NamedTuple):
    """A record and the slot that it goes to; `pages` in the order of writing: offset in the slot and four bytes."""

    slot: int
    record: Record
    pages: tuple[tuple[int, bytes], ...]


def encode(uid: bytes, record: Record) -> bytes:
    """The slot's bytes, whole pages."""
    body = _MARK + record.sequence.to_bytes(2, "big") + len(record.data).to_bytes(2, "big") + record.data
    slot = zlib.crc32(uid + body).to_bytes(_CRC, "big") + body
    return slot.ljust(-(-len(slot) // PAGE) * PAGE, b"\0")


def extent(head: bytes) -> int:
    """How many bytes of the slot belong to the record that starts so; 0 where none starts. `head` is HEAD bytes."""
    length = int.from_bytes(head[HEAD - 2 : HEAD], "big")
    return HEAD + length if head[_CRC : _CRC + len(_MARK)] == _MARK and length <= MOST else 0


def decode(uid: bytes, slot: bytes) -> Record | None:
    """None for anything but a whole record of this card."""
    end = extent(slot[:HEAD])
    if not end or len(slot) < end:
        return None
    body = slot[_CRC:end]
    if zlib.crc32(uid + body).to_bytes(_CRC, "big") != slot[:_CRC]:
        return None
    return Record(int.from_bytes(body[2:4], "big"), body[HEAD - _CRC :])


def chosen(records: Sequence[Record | None]) -> int | None:
    """The index of the newest record of two slots, None where both are empty or torn."""
    whole = [(index, record) for index, record in enumerate(records) if record is not None]
    if len(whole) == 2 and _is_newer(whole[1][1], whole[0][1]):
        return 1
    return whole[0][0] if whole else None


def plan(uid: bytes, records: Sequence[Record | None], data: bytes) -> Plan:
    """Writes the slot that does not count; nothing of the other one is touched."""
    newest = chosen(records)
    before = records[newest] if newest is not None else None
    record = after(before, data)
    slot = encode(uid, record)
    pages = [(at, slot[at : at + PAGE]) for at in range(0, len(slot), PAGE)]
    return Plan(1 - newest if newest is not None else 0, record, (*pages[1:], pages[0]))


def after(before: Record | None, data: bytes) -> Record:
    """The record that follows."""
    return Record((before.sequence + 1) % _SEQUENCE if before else 0, data)


def is_free(slots: Sequence[bytes]) -> bool:
    """Whether two whole slots without a record may be written: they are blank, or a first record was torn there.

    That one starts in the second page of the first slot, which may hold anything when it was torn itself.
    """
    first, second = slots
    begun = first[PAGE : PAGE + len(_MARK)] == _MARK
    return not any(second) and (begun or not any(first[:PAGE] + first[2 * PAGE :]))


def _is_newer(one: Record, other: Record) -> bool:
    """Serial number arithmetic (RFC 1982 section 3.2)."""
    return 0 < (one.sequence - other.sequence) % _SEQUENCE < _SEQUENCE // 2
