"""Time and chance, as an argument: the only way that the clock and randomness enter the till.

Nothing that decides about points trusts the wall clock; it is recorded, beside a clock that only goes forward.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Timepiece(Protocol):
    """The till's clocks and its source of randomness."""

    boot_id: str

    def unix_ms(self) -> int:
        """The wall clock, milliseconds since 1970; may jump and be wrong by days."""

    def boottime_ms(self) -> int:
        """Milliseconds since boot, suspends included; never goes back while `boot_id` stays."""

    def random(self, count: int) -> bytes:
        """`count` bytes fit for keys."""


class SystemTimepiece:
    """Linux's own clocks and /dev/urandom."""

    def __init__(self) -> None:
        self.boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def unix_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def boottime_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def random(self, count: int) -> bytes:
        return os.urandom(count)


def rfc3339(unix_ms: int) -> str:
    """A time as it is written in records and messages: RFC 3339, UTC, milliseconds."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
