"""Cards as the books list them, and as an entry's card is judged."""

from enum import StrEnum
from typing import Final

import msgspec


class CardStatus(StrEnum):
    """What a card is; one without an account is `inactive`. `replaced` and `merged` ones have a successor."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    MERGED = "merged"


UNNUMBERED: Final = 2**53
"""Stands for the number of a change that is made in this very batch: no till can know of it yet."""


class Listing(msgspec.Struct, frozen=True, gc=False):
    """A card as the books list it: `marked` blocked, replaced or merged (None: neither), and by which card.

    `told` is the number of the last change that tills were told of it.
    """

    account: int | None = None
    marked: CardStatus | None = None
    successor: str | None = None
    told: int | None = None

    @property
    def status(self) -> CardStatus:
        return self.marked or (CardStatus.INACTIVE if self.account is None else CardStatus.ACTIVE)


class CardFacts(msgspec.Struct, frozen=True, gc=False):
    """The card that an entry names: its `status`, and the `number` that stands for it, its own or its last successor's.

    `blocked` is the number of the change that blocked that one, None where it is not blocked. A till whose entry has a
    `hotlist` of at least so much knew of it.
    """

    number: str
    status: CardStatus
    blocked: int | None = None
