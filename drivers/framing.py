"""Where one scan ends and the next begins: a pure collector of what a scanner sends or types.

Half a scan is never joined to the next one: 299000 and 0000017 would be the number of another customer.
"""

from enum import StrEnum
from typing import Final, NamedTuple

MAX_SCAN: Final = 4096
"""Bytes; the largest QR code holds 2953, the longest magnetic stripe 220 characters."""

ENDINGS: Final = b"\r\n\t"
_GS: Final = 0x1D
_SPACE: Final = 0x20
_DELETE: Final = 0x7F


class Ending(StrEnum):
    """What ends a scan: a carriage return, line feed or tab, or also silence.

    With `line` a scan without its ending is a broken one; with `silence` nobody can tell.
    """

    LINE = "line"
    SILENCE = "silence"


class Flaw(StrEnum):
    """Why a scan was dropped, and the reason that is reported."""

    HALF = "half_scan"
    LOST = "scan_again"
    LONG = "too_long"
    LAYOUT = "wrong_layout"


class Scan(NamedTuple):
    """One whole scan, control characters dropped except GS, or the flaw that made it none."""

    text: bytes
    flaw: Flaw | None = None


class Framer:
    """Takes what comes in any pieces. It keeps at most MAX_SCAN bytes and never raises."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending
        self._text = bytearray()
        self._flaw: Flaw | None = None

    @property
    def idle(self) -> bool:
        """Nothing has come since the last ending."""
        return not self._text and self._flaw is None

    def feed(self, piece: bytes) -> list[Scan]:
        """The scans that this piece completes."""
        scans = []
        for byte in piece:
            if byte in ENDINGS:
                scans += self._end()
            elif (byte >= _SPACE and byte != _DELETE) or byte == _GS:
                self._add(byte)
        return scans

    def silence(self) -> list[Scan]:
        """Nothing more has come for longer than a scanner pauses within a scan."""
        if self._ending is Ending.LINE and not self.idle:
            self.spoil(Flaw.HALF)
        return self._end()

    def spoil(self, flaw: Flaw) -> None:
        """Drops the scan that is coming in, up to its ending; the first flaw is the one that is told."""
        self._flaw = self._flaw or flaw
        self._text.clear()

    def _add(self, byte: int) -> None:
        if self._flaw is not None:
            return
        if len(self._text) == MAX_SCAN:
            self.spoil(Flaw.LONG)
        else:
            self._text.append(byte)

    def _end(self) -> list[Scan]:
        if self.idle:
            return []
        scan = Scan(bytes(self._text), self._flaw)
        self._text.clear()
        self._flaw = None
        return [scan]
