"""What a bare NFC chip hears of a type A card, told as a PC/SC reader would tell it. Pure, for any bytes."""

from typing import Final, NamedTuple

ISO_DEP: Final = 0x20
"""Bit of the SAK: the card speaks ISO/IEC 14443-4, so it takes APDUs (ISO/IEC 14443-3 section 6.5.3)."""

_RANDOM: Final = 0x08
"""First byte of a serial number of four bytes that is drawn anew at each activation (ISO/IEC 14443-3 table 5)."""

_CARD_NAMES: Final = {
    0x00: 0x0003,  # Ultralight and every NTAG
    0x08: 0x0001,  # MIFARE Classic 1K
    0x09: 0x0026,  # MIFARE Mini
    0x18: 0x0002,  # MIFARE Classic 4K
    0x88: 0x0001,  # MIFARE Classic 1K by Infineon
}
"""By SAK (NXP AN10833 section 3.2) the card names of PC/SC part 3's supplemental document."""

_STORAGE_CARD: Final = bytes.fromhex("804f0ca00000030603")
"""Historical bytes of a storage card of ISO/IEC 14443-3 type A, before its name; see drivers/atr.py."""

_FRAME_SIZES: Final = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_USUAL_FRAME_SIZE: Final = 2
_USUAL_WAIT: Final = 4
"""What holds where the ATS does not say (ISO/IEC 14443-4 sections 5.2.3 and 5.2.5)."""
_LONGEST_WAIT: Final = 11
"""0.6 s; a card that needs more asks for it, and till and customer do not wait 5 s for one that is gone."""
_WAIT_UNIT_S: Final = 4096 / 13.56e6

_RATE_BYTE, _WAIT_BYTE, _OPTION_BYTE = 0x10, 0x20, 0x40


class AnswerToSelect(NamedTuple):
    """`frame_size` is the most the card takes in one frame, `wait_s` how long it may be silent."""

    frame_size: int
    wait_s: float
    historical: bytes


def answer_to_select(answer: bytes) -> AnswerToSelect:
    """ISO/IEC 14443-4 section 5.2; whatever is missing has its usual value."""
    answer = answer[: answer[0]] if answer else b""
    form = answer[1] if len(answer) > 1 else _USUAL_FRAME_SIZE
    at, wait = 2, _USUAL_WAIT
    for flag in (_RATE_BYTE, _WAIT_BYTE, _OPTION_BYTE):
        if form & flag:
            if flag == _WAIT_BYTE and at < len(answer):
                wait = answer[at] >> 4
            at += 1
    size = _FRAME_SIZES[min(form & 0x0F, len(_FRAME_SIZES) - 1)]
    return AnswerToSelect(size, _WAIT_UNIT_S * 2 ** min(wait, _LONGEST_WAIT), answer[at:])


def card_atr(historical: bytes) -> bytes:
    """The ATR of a card that takes APDUs (PC/SC part 3 revision 2.01.09 section 3.1.3.2.3.1)."""
    return _atr(historical[:15])


def storage_atr(sak: int) -> bytes:
    """The ATR of a card that has only memory (the same, section 3.1.3.2.3.2); of an unknown one the name is 0."""
    return _atr(_STORAGE_CARD + _CARD_NAMES.get(sak, 0).to_bytes(2, "big") + bytes(4))


def is_random(uid: bytes) -> bool:
    """Whether this is no serial number at all: phones and some identity cards."""
    return len(uid) == 4 and uid[0] == _RANDOM


def _atr(historical: bytes) -> bytes:
    body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])
