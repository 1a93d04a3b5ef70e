"""Command and response APDUs (ISO/IEC 7816-4): what every card with applications understands.

An `Exchange` sends a command APDU and gives the response with its status word; what it raises goes through.
"""

from collections.abc import Callable
from typing import Final

Exchange = Callable[[bytes], bytes]

OK: Final = b"\x90\x00"
MAX_FOLLOWING: Final = 4
"""Further exchanges for one answer; a card of the protocol T=0 needs one, one of each kind at most."""

_MORE: Final = 0x61
"""First byte of a status: so many bytes wait for GET RESPONSE (ISO/IEC 7816-4 table 5)."""
_WRONG_LENGTH: Final = 0x6C
"""First byte of a status: ask again for exactly so many bytes."""
_GET_RESPONSE: Final = bytes.fromhex("00c00000")


def select(name: bytes) -> bytes:
    """SELECT by the name of an application (ISO/IEC 7816-4 section 11.2.2), 1 to 16 bytes; the answer is wanted."""
    return b"\x00\xa4\x04\x00" + bytes([len(name)]) + name + b"\x00"


def ask(exchange: Exchange, command: bytes) -> bytes:
    """The whole answer, fetched in further exchanges where the card's protocol (T=0) wants that."""
    answer, data = exchange(command), b""
    for _ in range(MAX_FOLLOWING):
        if len(answer) < 2 or answer[-2] not in (_MORE, _WRONG_LENGTH):
            break
        if answer[-2] == _MORE:
            data += answer[:-2]
            answer = exchange(_GET_RESPONSE + answer[-1:])
        else:
            answer = exchange(command[:4] + answer[-1:] if len(command) <= 5 else command[:-1] + answer[-1:])
    return data + answer
