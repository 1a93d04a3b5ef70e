"""Time and chance made into stamps: the id and the clock readings of a new entry."""

from collections.abc import Callable
from datetime import datetime

from offline_queue.entry import Clock, Entry, uuid7
from offline_queue.timepiece import Timepiece, rfc3339
from terminal.sales.transaction import Stamp


class Stamps:
    """`ledger_time` is the last time heard from the ledger, RFC 3339; `hotlist` tells how far its changes were read."""

    _ahead_ms: int | None = None
    """How far the ledger's clock is ahead of our time since boot."""

    def __init__(
        self,
        terminal: str,
        timepiece: Timepiece,
        ledger_time: str | None = None,
        hotlist: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._terminal = terminal
        self._timepiece = timepiece
        self.ledger_time = ledger_time
        self._hotlist = hotlist

    def id(self) -> str:
        """A new UUIDv7."""
        return uuid7(self._timepiece.unix_ms(), self._timepiece.random(10))

    def now(self) -> str:
        """The wall clock, RFC 3339 in UTC."""
        return rfc3339(self._timepiece.unix_ms())

    def heard(self, ledger_time: str) -> None:
        """The ledger has just told its time. What is no time is passed over."""
        try:
            said_ms = int(datetime.fromisoformat(ledger_time).timestamp() * 1000)
        except ValueError:
            return
        self.ledger_time, self._ahead_ms = ledger_time, said_ms - self._timepiece.boottime_ms()

    def ledger_ms(self) -> int:
        """Now by the ledger's clock; by our own wall clock, which may be wrong, before it was heard in this start."""
        if self._ahead_ms is None:
            return self._timepiece.unix_ms()
        return self._timepiece.boottime_ms() + self._ahead_ms

    def when(self, entry: Entry) -> int:
        """When an entry was made, by the clock of `ledger_ms`; one of an earlier boot by what its wall clock said."""
        if entry.clock.boot_id == self._timepiece.boot_id:
            return self.ledger_ms() - self._timepiece.boottime_ms() + entry.clock.monotonic_ms
        return round(datetime.fromisoformat(entry.occurred_at).timestamp() * 1000)

    def stamp(self) -> Stamp:
        """The business day is the shop's own: the date in the machine's time zone."""
        unix_ms = self._timepiece.unix_ms()
        wall = rfc3339(unix_ms)
        day = datetime.fromtimestamp(unix_ms / 1000).astimezone().date().isoformat()
        clock = Clock(self._timepiece.boot_id, self._timepiece.boottime_ms(), wall, self.ledger_time)
        return Stamp(uuid7(unix_ms, self._timepiece.random(10)), self._terminal, day, wall, clock, self._hotlist())
