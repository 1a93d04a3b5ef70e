"""What a PC/SC reader answers to its own pseudo-APDUs, told for a card that lies before a bare NFC chip."""

from typing import Final

from drivers.apdu import OK
from drivers.nfc_radio import Card, Radio, only_of_the_card
from drivers.presence import CardTrouble, Trouble

FRAME_S: Final = 0.02
"""For a tag's answer to a frame; the slowest takes 10 ms (NTAG21x data sheet table 10)."""

_GET_UID: Final = bytes.fromhex("ffca0000")
_READ_PAGES: Final = bytes.fromhex("ffb000")
_UPDATE: Final = bytes.fromhex("ffd600")
_DIRECT: Final = bytes.fromhex("ff000000")
_CHIP_VERSION: Final = bytes.fromhex("d402")
_COMMUNICATE: Final = bytes.fromhex("d442")
"""The pseudo-APDUs of drivers/tags.py, drivers/ntag_notes.py and drivers/raw_frames.py."""

_NOT_SUPPORTED: Final = b"\x6a\x81"
_NOT_READ: Final = b"\x63\x00"
_READ: Final = 0x30
"""READ of a Type 2 tag: four pages from the one named (Type 2 Tag Operation 1.1 section 5.1)."""
_FOUR_PAGES: Final = 16
_WRITE: Final = 0xA2
_ACKNOWLEDGED: Final = b"\x0a"
"""WRITE of one page and its answer (the same, section 5.2; NTAG21x data sheet section 9.3)."""


class Desk:
    """Answers what a PC/SC reader would answer, for one look at one card."""

    def __init__(self, radio: Radio, card: Card) -> None:
        self._radio = radio
        self._card = card
        self._asked = False

    def answer(self, apdu: bytes) -> bytes:
        if apdu.startswith(_GET_UID):
            return self._serial_number() + OK
        self._asked = True
        if self._card.dep is not None:
            return self._card.dep(apdu)
        if apdu.startswith(_READ_PAGES):
            data = self._radio.send(bytes([_READ, apdu[3]]), FRAME_S)
            return data[: apdu[4]] + OK if len(data) == _FOUR_PAGES else _NOT_READ
        if apdu.startswith(_UPDATE):
            return self._written(apdu[3], apdu[5:])
        if apdu.startswith(_DIRECT):
            return self._direct(apdu[5:])
        return _NOT_SUPPORTED

    def _written(self, page: int, data: bytes) -> bytes:
        """A card that acknowledges is the one that was selected: another one in its place would be deaf."""
        if self._radio.send(bytes([_WRITE, page]) + data, FRAME_S) != _ACKNOWLEDGED:
            return _NOT_READ
        self._asked = False
        return OK

    def _serial_number(self) -> bytes:
        """Told again only when the very card that told it first is still there."""
        if self._asked and self._card.dep is not None:
            self._card.dep(b"")
        elif self._asked and self._radio.find(self._card.found.uid) is None:
            raise CardTrouble(Trouble.CARD_GONE, "it is not there any more")
        return self._card.serial

    def _direct(self, command: bytes) -> bytes:
        """As a reader with a PN53x inside takes a tag's own commands (drivers/raw_frames.py)."""
        if command == _CHIP_VERSION:
            return bytes.fromhex("d50332010607") + OK
        if not command.startswith(_COMMUNICATE):
            return _NOT_SUPPORTED
        try:
            return bytes.fromhex("d54300") + self._radio.send(command[len(_COMMUNICATE) :], FRAME_S) + OK
        except CardTrouble as trouble:
            only_of_the_card(trouble)
            self._radio.find(self._card.found.uid)  # a tag that heard what it does not know falls silent
            return bytes.fromhex("d54301") + OK
