"""A bare NFC chip as the till wants it: the port between drivers/contactless.py and what lies in the field."""

from typing import NamedTuple, Protocol

from drivers.apdu import Exchange
from drivers.iso14443 import AnswerToSelect, is_random
from drivers.presence import CardTrouble, Trouble


class Found(NamedTuple):
    """A card that the chip has selected: serial number and SAK (ISO/IEC 14443-3)."""

    uid: bytes
    sak: int


class Radio(Protocol):
    """A chip with an antenna. Raises CardTrouble from every method; Trouble.MUTE stands for a card that is silent."""

    def find(self, uid: bytes | None) -> Found | None:
        """Switches the field off and on and selects the card with this serial number, or any."""

    def send(self, frame: bytes, timeout_s: float) -> bytes:
        """To the card that is selected: a frame without its check bytes, and the answer without them."""

    def select_dep(self) -> bytes:
        """Sends the request for answer to select that fits the chip, and gives the answer."""

    def dep(self, answer: AnswerToSelect) -> Exchange:
        """APDUs to the card (ISO/IEC 14443-4); an empty one only asks whether it is still there."""

    def off(self) -> None:
        """No field until the next find()."""


class Card:
    """The card that lies in the field; `dep` carries APDUs to one that takes them.

    `selected` holds while it has answered every time. `serial` is what it is told by: of a random number the first
    of this presentation.
    """

    def __init__(self, found: Found, atr: bytes, dep: Exchange | None) -> None:
        self.found = found
        self.serial = found.uid
        self.atr = atr
        self.dep = dep
        self.selected = True

    def is_same(self, other: Found) -> bool:
        """Random numbers differ at each look: such a card counts as the same until a look finds nothing."""
        return self.found.uid == other.uid or (is_random(self.found.uid) and is_random(other.uid))


def only_of_the_card(trouble: CardTrouble) -> None:
    """Raises it again when it is the chip that has failed."""
    if trouble.trouble is not Trouble.MUTE:
        raise trouble
