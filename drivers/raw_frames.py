"""How a tag's own commands reach it through a PC/SC reader: two ways, tried in turn.

Readers with a PN53x inside (ACR122U and kin) take the chip's InCommunicateThru in a pseudo-APDU of ACS; newer ones
open a transparent session (PC/SC part 3 revision 2.02.00 section 3.2.3). Others refuse both: NoPassage.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from drivers.apdu import OK, Exchange
from drivers.ndef import Damaged
from drivers.tlv import items

Frame = Callable[[bytes], bytes | None]
"""Sends a frame without its check bytes; the tag's answer, None when it refuses or is silent."""

_DIRECT: Final = bytes.fromhex("ff000000")
_GET_FIRMWARE_VERSION: Final = bytes.fromhex("d402")
_FIRMWARE_VERSION: Final = bytes.fromhex("d503")
_COMMUNICATE: Final = bytes.fromhex("d442")
_COMMUNICATED: Final = bytes.fromhex("d54300")
"""PN532 user manual section 7.3.9: the last byte is the status, 00 for an answer without error."""

_START: Final = bytes.fromhex("ffc20000028100")
_END: Final = bytes.fromhex("ffc20000028200")
_LAYER_3: Final = bytes.fromhex("ffc20002048f020003")
"""Switch protocol: ISO/IEC 14443 type A, layer 3."""
_TRANSPARENT: Final = bytes.fromhex("ffc20001")
_TIMER: Final = bytes.fromhex("5f4604") + (50_000).to_bytes(4, "little")
"""Microseconds; a tag answers within 5 ms (NTAG21x data sheet table 10)."""
_TRANSCEIVE: Final = 0x95
_ANSWERED: Final = 0x97


class NoPassage(Exception):
    """This reader keeps a tag's own commands to itself."""


@contextmanager
def frames(exchange: Exchange) -> Iterator[Frame]:
    """The way to the tag. Raises NoPassage; the reader is left as it was found."""
    if _is_pn53x(exchange):
        yield lambda frame: _directly(exchange, frame)
        return
    if exchange(_START)[-2:] != OK:
        raise NoPassage
    try:
        exchange(_LAYER_3)
        yield lambda frame: _transparently(exchange, frame)
    finally:
        exchange(_END)


def _is_pn53x(exchange: Exchange) -> bool:
    """Asks the reader's chip, not the tag: a tag that hears what it does not know falls silent."""
    answer = exchange(_wrapped(_GET_FIRMWARE_VERSION))
    return answer[-2:] == OK and answer.startswith(_FIRMWARE_VERSION)


def _directly(exchange: Exchange, frame: bytes) -> bytes | None:
    answer = exchange(_wrapped(_COMMUNICATE + frame))
    if answer[-2:] != OK or not answer.startswith(_COMMUNICATED):
        return None
    return answer[len(_COMMUNICATED) : -2]


def _wrapped(command: bytes) -> bytes:
    return _DIRECT + bytes([len(command)]) + command


def _transparently(exchange: Exchange, frame: bytes) -> bytes | None:
    data = _TIMER + bytes([_TRANSCEIVE, len(frame)]) + frame
    answer = exchange(_TRANSPARENT + bytes([len(data)]) + data + b"\x00")
    if answer[-2:] != OK:
        return None
    try:
        return next((value for tag, value in items(answer[:-2]) if tag == _ANSWERED), None)
    except Damaged:
        return None
