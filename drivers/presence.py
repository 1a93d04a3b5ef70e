"""Cards that come and go on a reader, whatever the reader is: the port between a driver and the reading of a card."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import Enum
from typing import Final, NamedTuple, Protocol

from drivers.apdu import Exchange

PRESENT: Final = 0x20
"""A card lies there: SCARD_STATE_PRESENT of PC/SC, whose states every driver speaks."""
EVENT_COUNT: Final = 16
"""The bit where the count of comings and goings starts in a state."""

LYING: Final = ("card_was_there", "A card lay on the reader when it was opened. Lift it and present it again.")
"""Reason and detail of a CardUnreadable."""


class Trouble(Enum):
    """What a failure means, whatever its code says."""

    CARD_GONE = "the card was taken away too soon"
    MUTE = "the card does not answer"
    CARD_HELD = "another program keeps the card to itself"
    READER_GONE = "the reader is gone"
    SERVICE_GONE = "pcscd is gone"
    FORBIDDEN = "pcscd does not let this user in"
    OTHER = "PC/SC refused"


READERS_OWN: Final = frozenset({Trouble.READER_GONE, Trouble.SERVICE_GONE, Trouble.FORBIDDEN})
"""Troubles that say nothing of the card."""


class CardTrouble(Exception):
    """A card or its reader has failed; `trouble` tells which and how."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        self.trouble = trouble
        super().__init__(f"{trouble.value} ({detail})")


class Seen(NamedTuple):
    """A reader's state: PC/SC's flags below, in the upper 16 bits a count of its cards' comings and goings."""

    reader: str
    state: int
    atr: bytes


class Connection:
    """A card that answers; `powers_down` switches it off at the end: nothing more is wanted of it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.powers_down = False


class CardPlace(Protocol):
    """Where cards are laid. Raises CardTrouble from every method."""

    def wait(self, known: Mapping[str, int], timeout_s: float) -> list[Seen]:
        """Readers whose state is no longer the known one; empty after `timeout_s`."""

    def card(self, reader: str) -> AbstractContextManager[Connection]:
        """A connection to the card for one look at it; after a failure it is not used again."""


class Change(Enum):
    """What has happened on a reader between two looks at its state."""

    NOTHING = "nothing"
    ARRIVED = "arrived"
    LYING = "lying"


def change_of(before: int | None, now: int) -> Change:
    """From two states; `before` is None when the reader has not been looked at yet.

    The event count tells a card that was lifted and laid down between the looks from one that lies there.
    """
    if not now & PRESENT:
        return Change.NOTHING
    if before is None:
        return Change.LYING
    same = before & PRESENT and before >> EVENT_COUNT == now >> EVENT_COUNT
    return Change.NOTHING if same else Change.ARRIVED
