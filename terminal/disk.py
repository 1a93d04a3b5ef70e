"""What the room on the disk means at the till: a warning in time, then points are earned only, then nothing is sold."""

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from offline_queue.room import MIB, Room, Space
from offline_queue.words import Words
from terminal.pos import Refusal

log = logging.getLogger("disk")

_SCARCE: Final = Words(
    en=(
        "The till's disk is nearly full, so it only earns points until there is room. No points moved."
        " Let the customer pay and keep the points, and call the technician."
    ),
    fr=(
        "Le disque de la caisse est presque plein : elle ne peut plus que créditer des points. Aucun point n'a bougé."
        " Le client paie et garde ses points ; prévenez le technicien."
    ),
)
_WARNINGS: Final = {
    Room.LOW: "sales go on; make room before there is less",
    Room.SCARCE: "points are earned but no longer redeemed; make room now, or sales are refused soon",
}


class DiskView(msgspec.Struct, frozen=True):
    """The journal's room: `fine`, `low` or `scarce`; bytes that it takes and that it may still take."""

    room: Room
    journal_bytes: int
    free_bytes: int


class Disk:
    """Used by the till's thread alone. `space` raises OSError where the folder cannot be asked."""

    def __init__(self, space: Callable[[], Space]) -> None:
        self._space = space
        self._told = Room.FINE

    def view(self) -> DiskView | None:
        """As it is now, None where the system does not say; a change for the worse is logged once."""
        try:
            space = self._space()
        except OSError as error:
            log.warning("the room on the disk is not known: %s", error)
            return None
        if space.room is not self._told and space.room in _WARNINGS:
            log.warning("the journal has %d MiB left on its disk: %s", space.free // MIB, _WARNINGS[space.room])
        self._told = space.room
        return DiskView(space.room, space.size, space.free)

    def refuse_redemption(self) -> None:
        """Raises Refusal where the room is too scarce to promise points away."""
        view = self.view()
        if view is not None and view.room is Room.SCARCE:
            raise Refusal("not_recorded", _SCARCE, reason="disk_scarce")
