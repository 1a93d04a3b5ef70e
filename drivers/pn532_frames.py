"""Frames between a host and a PN532 (NXP user manual UM0701-02 section 6.2.1): pure, for any bytes."""

from typing import Final

ACK: Final = bytes.fromhex("0000ff00ff00")
"""Also cancels the command that the chip is working on (section 6.2.1.3)."""
WAKE_UP: Final = bytes(10)
"""Before a frame: a chip that sleeps misses the first bytes (section 7.2.11)."""

_START: Final = bytes.fromhex("00ff")
_TO_CHIP: Final = 0xD4
_TO_HOST: Final = 0xD5


def frame(command: bytes) -> bytes:
    """Of a command of at most 253 bytes, its code first."""
    body = bytes([_TO_CHIP]) + command
    return b"\x00" + _START + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0x00])


def answer_in(received: bytes, code: int) -> bytes | None:
    """What the chip answers to the command `code`, None while no whole and right frame of it is there.

    Whatever else is among `received` - acknowledgements, noise, answers to other commands - is passed over.
    """
    at = received.find(_START)
    while at >= 0:
        body = _body(received[at + len(_START) :])
        if body is not None and body[:2] == bytes([_TO_HOST, code + 1]):
            return body[2:]
        at = received.find(_START, at + 1)
    return None


def _body(rest: bytes) -> bytes | None:
    """Of a frame that follows its start; None where lengths or sums do not fit. Extended frames are not awaited."""
    if len(rest) < 2 or (rest[0] + rest[1]) & 0xFF:
        return None
    body, check = rest[2 : 2 + rest[0]], rest[2 + rest[0] : 3 + rest[0]]
    if not check or (sum(body) + check[0]) & 0xFF:
        return None
    return body
