"""How to read what a card carries, through an exchange of APDUs: serial number, Type 2 and Type 4 tags.

Nothing here knows PC/SC. All loops are bounded by what the card's own sizes may say at most.
"""

from typing import Final, NamedTuple

from drivers.apdu import OK, Exchange, select
from drivers.atr import CardKind
from drivers.base import Chip, Note, Technology
from drivers.ndef import MAX_MESSAGE, Damaged, Incomplete, message_in, text_in

_GET_UID: Final = bytes.fromhex("ffca000000")
"""PC/SC part 3 section 3.2.2.1.3."""
_READ_PAGES: Final = bytes.fromhex("ffb000")
"""READ BINARY of storage cards (PC/SC part 3 section 3.2.2.1.8), then page and length."""
_STEP: Final = 16
"""A Type 2 READ gives four pages of four bytes (Type 2 Tag Operation 1.1 section 5.1)."""
_CONTAINER_PAGE: Final = 3
_DATA_PAGE: Final = 4
_LAST_PAGE: Final = 0xFF
_MAGIC: Final = 0xE1
"""First byte of the capability container of a tag formatted for NDEF."""
_NTAG_SIZES: Final = frozenset({0x12, 0x3E, 0x6D})
"""Third byte of the capability container: NTAG213, 215, 216 (NTAG21x data sheet section 8.5.6)."""

_SELECT_NDEF: Final = select(bytes.fromhex("d2760000850101"))
_SELECT_FILE: Final = bytes.fromhex("00a4000c02")
_READ_BINARY: Final = bytes.fromhex("00b0")
_CONTAINER_FILE: Final = bytes.fromhex("e103")
_CONTAINER_LENGTH: Final = 15
_NDEF_FILE_CONTROL: Final = bytes.fromhex("0406")
"""Type 4 Tag Operation 2.0 section 5.1: the capability container's TLV that names the NDEF file."""
_LEAST_STEP: Final = 0x0F
_MOST_STEP: Final = 0xFF
"""Least MLe of the same section; most that a short APDU asks for without the special meaning of 0."""
_MAX_UID: Final = 10
"""Bytes (ISO/IEC 14443-3 section 6.5.4); FeliCa and 14443-B have 8 and 4."""


class Content(NamedTuple):
    """What a card carries; `text` is None when it carries none."""

    technology: Technology
    text: str | None
    chip: Chip | None = None
    note: Note | None = None


def read_uid(exchange: Exchange) -> str | None:
    """The serial number in lower-case hex; None where reader or card do not tell one."""
    answer = exchange(_GET_UID)
    uid, status = answer[:-2], answer[-2:]
    return uid.hex() if status == OK and 0 < len(uid) <= _MAX_UID else None


def read_pages(exchange: Exchange, page: int, length: int) -> bytes:
    """`length` bytes of a Type 2 tag from `page` on. Raises Damaged."""
    memory = b""
    while len(memory) < length:
        memory += _whole(exchange(_READ_PAGES + bytes([page + len(memory) // 4, _STEP])), _STEP)
    return memory[:length]


def read_content(kind: CardKind, exchange: Exchange) -> Content:
    """Raises Damaged when the card says that it carries a text and the text cannot be read whole."""
    if kind.storage:
        if kind.technology is not Technology.ULTRALIGHT:
            return Content(kind.technology, None)
        return _read_type2(exchange)
    text = _read_type4(exchange)
    return Content(kind.technology if text is None else Technology.TYPE_4, text)


def _read_type2(exchange: Exchange) -> Content:
    """Type 2 Tag Operation 1.1: the capability container in page 3, the data area from page 4."""
    first = exchange(_READ_PAGES + bytes([_CONTAINER_PAGE, _STEP]))
    if first[-2:] != OK or len(first) != _STEP + 2 or first[0] != _MAGIC:
        return Content(Technology.ULTRALIGHT, None)
    technology = Technology.NTAG if first[2] in _NTAG_SIZES else Technology.ULTRALIGHT
    message = _type2_message(exchange, first[4:-2], first[2] * 8)
    return Content(technology, None if message is None else text_in(message))


def _type2_message(exchange: Exchange, memory: bytes, size: int) -> bytes | None:
    """Reads on from `memory` only as far as the message goes: every 16 bytes cost an exchange over the air."""
    while True:
        try:
            return message_in(memory, size)
        except Incomplete:
            page = _DATA_PAGE + len(memory) // 4
        if page > _LAST_PAGE:
            raise Damaged(f"a data area of {size} bytes has no page {page}")
        memory += _whole(exchange(_READ_PAGES + bytes([page, _STEP])), _STEP)


def _read_type4(exchange: Exchange) -> str | None:
    """Type 4 Tag Operation 2.0; None when the card has no NDEF application or no message in it."""
    if exchange(_SELECT_NDEF)[-2:] != OK or exchange(_SELECT_FILE + _CONTAINER_FILE)[-2:] != OK:
        return None
    container = _read_binary(exchange, 0, _CONTAINER_LENGTH)
    if container[7:9] != _NDEF_FILE_CONTROL:
        raise Damaged("the capability container names no NDEF file")
    if exchange(_SELECT_FILE + container[9:11])[-2:] != OK:
        raise Damaged("the NDEF file that the capability container names is not there")
    return text_in(_type4_message(exchange, step=int.from_bytes(container[3:5], "big")))


def _type4_message(exchange: Exchange, step: int) -> bytes:
    """The NDEF file's first two bytes are its message's length; `step` is what the card gives at once (MLe)."""
    length = int.from_bytes(_read_binary(exchange, 0, 2), "big")
    if length > MAX_MESSAGE or step < _LEAST_STEP:
        raise Damaged(f"a message of {length} bytes in steps of {step}")
    message = b""
    while len(message) < length:
        message += _read_binary(exchange, 2 + len(message), min(step, _MOST_STEP, length - len(message)))
    return message


def _read_binary(exchange: Exchange, offset: int, length: int) -> bytes:
    return _whole(exchange(_READ_BINARY + offset.to_bytes(2, "big") + bytes([length])), length)


def _whole(answer: bytes, length: int) -> bytes:
    """The `length` data bytes of an answer. Raises Damaged for any other answer."""
    if answer[-2:] != OK or len(answer) != length + 2:
        raise Damaged(f"{max(len(answer) - 2, 0)} of {length} bytes, status {answer[-2:].hex()}")
    return answer[:-2]
