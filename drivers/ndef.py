"""NDEF messages and where tags keep them: pure parsers, for bytes that anybody may have written.

NFC Forum NDEF 1.0 (records), RTD Text 1.0, RTD URI 1.0, Type 2 Tag Operation 1.1 section 2.3 (TLV blocks).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_MESSAGE: Final = 4096
"""Bytes; a loyalty card carries a number or an address, and an NTAG216 holds 872."""
MAX_RECORDS: Final = 32

_TLV_NULL: Final = 0x00
_TLV_NDEF: Final = 0x03
_TLV_TERMINATOR: Final = 0xFE
_LONG_LENGTH: Final = 0xFF

_CHUNKED: Final = 0x20
_SHORT: Final = 0x10
_HAS_ID: Final = 0x08
_MESSAGE_END: Final = 0x40
_NAME_FORMAT: Final = 0x07
_WELL_KNOWN: Final = 0x01

URI_BEGINNINGS: Final = (
    *("", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:", "ftp://anonymous:anonymous@"),
    *("ftp://ftp.", "ftps://", "sftp://", "smb://", "nfs://", "ftp://", "dav://", "news:", "telnet://", "imap:"),
    *("rtsp://", "urn:", "pop:", "sip:", "sips:", "tftp:", "btspp://", "btl2cap://", "btgoep://", "tcpobex://"),
    *("irdaobex://", "file://", "urn:epc:id:", "urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:", "urn:nfc:"),
)
"""RTD URI 1.0 table 3, by identifier code 0x00 to 0x23."""


class Damaged(ValueError):
    """These bytes break the format: torn, worn or not what the tag says they are."""


class Incomplete(ValueError):
    """The memory read so far ends inside a block: more has to be read."""


class Record(NamedTuple):
    """One NDEF record of the NFC Forum's well-known types, or of any other with `well_known` False."""

    well_known: bool
    kind: bytes
    payload: bytes
    id: bytes = b""


def message_in(memory: bytes, size: int) -> bytes | None:
    """The NDEF message in a Type 2 tag's data area of `size` bytes (from page 4 on), None when it holds none.

    `memory` is as much of the area as has been read. Raises Incomplete when the answer lies behind its end and
    Damaged when a block reaches beyond the area.
    """
    at = 0
    while at < size:
        tag = _bytes_at(memory, at, 1, size)[0]
        if tag == _TLV_TERMINATOR:
            return None
        if tag == _TLV_NULL:
            at += 1
            continue
        start, length = _value_of(memory, at + 1, size)
        if tag == _TLV_NDEF:
            return _bytes_at(memory, start, length, size)
        at = start + length
    return None


def closed_by(memory: bytes) -> bool:
    """Whether the blocks of a Type 2 tag's data area end with their terminator within `memory`, its beginning."""
    at, size = 0, len(memory)
    try:
        while memory[at] != _TLV_TERMINATOR:
            at = at + 1 if memory[at] == _TLV_NULL else sum(_value_of(memory, at + 1, size))
    except (Damaged, IndexError):
        return False
    return True


def _value_of(memory: bytes, at: int, size: int) -> tuple[int, int]:
    """Where a TLV's value starts and how long it is; `at` is its length field of one or three bytes."""
    length = _bytes_at(memory, at, 1, size)[0]
    if length != _LONG_LENGTH:
        return at + 1, length
    return at + 3, int.from_bytes(_bytes_at(memory, at + 1, 2, size), "big")


def _bytes_at(memory: bytes, at: int, count: int, size: int) -> bytes:
    if at + count > size:
        raise Damaged(f"{count} bytes at {at} in an area of {size}")
    if at + count > len(memory):
        raise Incomplete(f"{count} bytes at {at}, read so far are {len(memory)}")
    return memory[at : at + count]


def text_in(message: bytes) -> str | None:
    """The text of the first text or URI record, None when the message has neither. Raises Damaged."""
    if len(message) > MAX_MESSAGE:
        raise Damaged(f"a message of {len(message)} bytes, more than {MAX_MESSAGE}")
    for record in records_in(message):
        if record.well_known and record.kind == b"T":
            return _text(record.payload)
        if record.well_known and record.kind == b"U":
            return _uri(record.payload)
    return None


def records_in(message: bytes) -> Iterator[Record]:
    """Record by record, at most MAX_RECORDS. Raises Damaged where the message breaks off or is chunked."""
    at = 0
    for _ in range(MAX_RECORDS):
        if at >= len(message):
            return
        header = message[at]
        if header & _CHUNKED:
            raise Damaged("chunked records are not for cards")
        record, at = _record(message, at)
        yield record
        if header & _MESSAGE_END:
            return
    raise Damaged(f"more than {MAX_RECORDS} records")


def _record(message: bytes, at: int) -> tuple[Record, int]:
    header = message[at]
    short, has_id = bool(header & _SHORT), bool(header & _HAS_ID)
    head = 2 + (1 if short else 4) + has_id
    if at + head > len(message):
        raise Damaged(f"the record at {at} breaks off in its header")
    kind_length = message[at + 1]
    payload_length = message[at + 2] if short else int.from_bytes(message[at + 2 : at + 6], "big")
    id_length = message[at + head - 1] if has_id else 0
    kind_at = at + head
    payload_at = kind_at + kind_length + id_length
    end = payload_at + payload_length
    if end > len(message):
        raise Damaged(f"the record at {at} wants {end - len(message)} bytes more than there are")
    well_known = header & _NAME_FORMAT == _WELL_KNOWN
    kind, name = message[kind_at : kind_at + kind_length], message[kind_at + kind_length : payload_at]
    return Record(well_known, kind, message[payload_at:end], name), end


def _text(payload: bytes) -> str:
    """RTD Text section 3.2.1: a status byte (bit 7: UTF-16, bits 0-5: length of the language code), then both."""
    if not payload or 1 + (payload[0] & 0x3F) > len(payload):
        raise Damaged("a text record without its language")
    text = payload[1 + (payload[0] & 0x3F) :]
    if not payload[0] & 0x80:
        return _decoded(text, "utf-8")
    return _decoded(text, "utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-16-be")


def _uri(payload: bytes) -> str:
    """RTD URI section 3.2.2; an identifier code beyond the table stands for no beginning."""
    if not payload:
        raise Damaged("a URI record without its identifier code")
    beginning = URI_BEGINNINGS[payload[0]] if payload[0] < len(URI_BEGINNINGS) else ""
    return beginning + _decoded(payload[1:], "utf-8")


def _decoded(text: bytes, encoding: str) -> str:
    try:
        return text.decode(encoding)
    except UnicodeDecodeError as error:
        raise Damaged(f"text that is no {encoding}: {error.reason}") from error
