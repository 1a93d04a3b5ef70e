"""The note of an NTAG215 or NTAG216, in the last pages of its user memory, behind what the tag says for everybody.

The NDEF message and whatever else stands in the tag's own blocks is never written, nor are lock and configuration
pages. An NTAG213 has 144 bytes: too few for two slots of a signed note. Layouts by the NTAG21x data sheet, section 8.5.
"""

from typing import Final, NamedTuple

from drivers import card_record
from drivers.apdu import OK, Exchange
from drivers.base import Note
from drivers.card_record import HEAD, PAGE, Record
from drivers.ndef import closed_by
from drivers.note_words import NotWritten
from drivers.tags import read_pages, read_uid

_CONTAINER: Final = 3
_DATA: Final = 4
_FORMATTED: Final = 0xE1
_ALWAYS_BD: Final = 0xBD
"""Byte 3 of the page behind the user memory, whatever is locked (section 8.5.3): so the memory is really that long."""
_UPDATE: Final = bytes.fromhex("ffd600")
"""UPDATE BINARY of storage cards (PC/SC part 3 section 3.2.2.1.9), then page, length and the data."""


class Layout(NamedTuple):
    """Page numbers: two slots of `slot` pages each from `first` on; `end` is the page behind the user memory."""

    first: int
    slot: int
    end: int

    @property
    def room(self) -> int:
        """Bytes of a note."""
        return self.slot * PAGE - HEAD


LAYOUTS: Final = {0x3E: Layout(34, 48, 130), 0x6D: Layout(34, 96, 226)}
"""By the third byte of the capability container: NTAG215, NTAG216. 120 bytes stay for the tag's own blocks."""


def read(uid: bytes, exchange: Exchange) -> Note | None:
    """None for another kind of tag. Raises Damaged where pages cannot be read."""
    layout = _layout(exchange)
    if layout is None:
        return None
    records = [_record(uid, exchange, layout, slot) for slot in (0, 1)]
    newest = card_record.chosen(records)
    found = records[newest] if newest is not None else None
    return Note(layout.room, found.data if found else b"")


def write(uid: bytes, exchange: Exchange, data: bytes) -> None:
    """Returns when the note was read back. Raises NotWritten, Damaged; the note before is then still there."""
    layout = _layout(exchange)
    if layout is None or len(data) > layout.room:
        raise NotWritten("no_room")
    if read_pages(exchange, layout.end, PAGE)[3] != _ALWAYS_BD:
        raise NotWritten("no_room")
    if not _is_closed(exchange, layout):
        raise NotWritten("occupied")
    records = [_steady(uid, exchange, layout, slot) for slot in (0, 1)]
    if not any(records) and not _is_free(exchange, layout):
        raise NotWritten("occupied")
    plan = card_record.plan(uid, records, data)
    _write(uid, exchange, layout, plan)
    if _record(uid, exchange, layout, plan.slot) != plan.record:
        raise NotWritten("not_confirmed")


def _write(uid: bytes, exchange: Exchange, layout: Layout, plan: card_record.Plan) -> None:
    """Each page only to the card whose serial number the reader tells just before."""
    start = _start(layout, plan.slot)
    for offset, page in plan.pages:
        if read_uid(exchange) != uid.hex():
            raise NotWritten("other_card")
        if exchange(_UPDATE + bytes([start + offset // PAGE, PAGE]) + page) != OK:
            raise NotWritten("refused")


def _layout(exchange: Exchange) -> Layout | None:
    container = read_pages(exchange, _CONTAINER, PAGE)
    return LAYOUTS.get(container[2]) if container[0] == _FORMATTED else None


def _is_closed(exchange: Exchange, layout: Layout) -> bool:
    """Whether the tag's own blocks end, with their terminator, before our pages."""
    return closed_by(read_pages(exchange, _DATA, (layout.first - _DATA) * PAGE))


def _is_free(exchange: Exchange, layout: Layout) -> bool:
    return card_record.is_free([read_pages(exchange, _start(layout, slot), layout.slot * PAGE) for slot in (0, 1)])


def _steady(uid: bytes, exchange: Exchange, layout: Layout, slot: int) -> Record | None:
    """A page that was torn may read in two ways; a record that is not the same twice is none."""
    first, second = (_record(uid, exchange, layout, slot) for _ in range(2))
    return first if first == second else None


def _record(uid: bytes, exchange: Exchange, layout: Layout, slot: int) -> Record | None:
    """Read only as far as the record goes."""
    start = _start(layout, slot)
    size = card_record.extent(read_pages(exchange, start, HEAD))
    if not size or size > layout.slot * PAGE:
        return None
    return card_record.decode(uid, read_pages(exchange, start, size))


def _start(layout: Layout, slot: int) -> int:
    return layout.first + slot * layout.slot
