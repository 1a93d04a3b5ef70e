"""Time and chance made into stamps: the id and the clock readings of a new entry."""

from datetime import datetime

from offline_queue.entry import Clock, uuid7
from offline_queue.timepiece import Timepiece, rfc3339
from terminal.transaction import Stamp


class Stamps:
    """`ledger_time` is the last time heard from the ledger, RFC 3339."""

    def __init__(self, terminal: str, timepiece: Timepiece, ledger_time: str | None = None) -> None:
        self._terminal = terminal
        self._timepiece = timepiece
        self.ledger_time = ledger_time

    def id(self) -> str:
        """A new UUIDv7."""
        return uuid7(self._timepiece.unix_ms(), self._timepiece.random(10))

    def now(self) -> str:
        """The wall clock, RFC 3339 in UTC."""
        return rfc3339(self._timepiece.unix_ms())

    def stamp(self) -> Stamp:
        """The business day is the shop's own: the date in the machine's time zone."""
        unix_ms = self._timepiece.unix_ms()
        wall = rfc3339(unix_ms)
        day = datetime.fromtimestamp(unix_ms / 1000).astimezone().date().isoformat()
        clock = Clock(self._timepiece.boot_id, self._timepiece.boottime_ms(), wall, self.ledger_time)
        return Stamp(uuid7(unix_ms, self._timepiece.random(10)), self._terminal, day, wall, clock)
