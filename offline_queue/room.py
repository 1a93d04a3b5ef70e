"""Room on the disk: how much the journal may still take, and a ballast that keeps the last of it for the ledger's word.

A full disk refuses every write, also those that would take records over and give room back. So a file of zeros is
kept beside the journal. When a commit finds no room the ballast goes, and what it leaves is for marks, decisions and
checkpoints alone: sales are refused until there is room for the ballast again.
"""

import logging
import os
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from offline_queue.journal import NotRecorded

MIB: Final = 1024 * 1024
BALLAST_BYTES: Final = 4 * MIB
"""More than the write-ahead log between two checkpoints (writer.LOG_BYTES), which must find its way into the file."""
BALLAST_SHARE: Final = 8
"""On a disk with less free room than this many times the ballast there is none: sales need the room more."""
LOW_SHARE, SCARCE_SHARE = 0.80, 0.95
"""Of all that the journal has and could have (PROTOCOL section 4)."""
LOW_BYTES, SCARCE_BYTES = 64 * MIB, 16 * MIB
"""About 300,000 and 80,000 sales: a week and two days of a busy shop."""

log = logging.getLogger(__name__)


class Room(StrEnum):
    """What a till may still do: `low` is a warning, with `scarce` room only points are earned and given back."""

    FINE = "fine"
    LOW = "low"
    SCARCE = "scarce"


class Space(msgspec.Struct, frozen=True):
    """Bytes: the journal's `size` with its log, and what is `free` for it."""

    size: int
    free: int

    @property
    def room(self) -> Room:
        """By the share of what there could be, and by what is left at all."""
        share = self.size / max(1, self.size + self.free)
        if share >= SCARCE_SHARE or self.free < SCARCE_BYTES:
            return Room.SCARCE
        return Room.LOW if share >= LOW_SHARE or self.free < LOW_BYTES else Room.FINE


def space(journal: Path) -> Space:
    """Raises OSError."""
    files = (journal, Path(f"{journal}-wal"))
    disk = os.statvfs(journal.parent)
    return Space(sum(file.stat().st_size for file in files if file.exists()), disk.f_bavail * disk.f_frsize)


class Ballast:
    """Used by the thread that writes the journal alone."""

    def __init__(self, journal: Path) -> None:
        self._journal, self._path = journal, Path(f"{journal}.ballast")
        self.out = False
        """Whether its room was given away: sales are refused meanwhile."""
        self._place()

    def pages(self, page_size: int) -> int:
        """How many pages the journal may have without touching what the ballast keeps free."""
        now = space(self._journal)
        return max(1, (now.size + now.free) // page_size)

    def release(self) -> bool:
        """Gives its room away; False where there is none to give."""
        if self.out or not self._path.exists():
            return False
        self._path.unlink(missing_ok=True)
        self.out = True
        log.critical("the disk is full: sales are refused, and what the ledger says is still written down")
        return True

    def remove(self) -> None:
        """The till stops: its room is everybody's."""
        self._path.unlink(missing_ok=True)

    def refuse_sales(self) -> None:
        """Raises NotRecorded while its room is given away and the disk has no other."""
        if self.out and not self._place():
            raise NotRecorded(
                "the disk is full",
                "Nothing was recorded and no points moved. Make room on it, and the till goes on by itself: then"
                " repeat the sale.",
            )

    def _place(self) -> bool:
        """Back in its place if there is room for it and for sales beside it."""
        try:
            if space(self._journal).free < BALLAST_SHARE * BALLAST_BYTES:
                return self._path.exists()
            if not self._path.exists() or self._path.stat().st_size < BALLAST_BYTES:
                self._fill()
        except OSError as error:
            log.warning("no ballast can be kept beside the journal: %s", error)
            return False
        if self.out:
            log.warning("the disk has room again: sales are recorded")
        self.out = False
        return True

    def _fill(self) -> None:
        with self._path.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
            os.fsync(file.fileno())
