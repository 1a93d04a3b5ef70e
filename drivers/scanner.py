"""The thin loop of whatever sends scans on a file descriptor: waits, collects, reports, outlives an unplugging."""

import select
import termios
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from drivers.attachment import Attachment
from drivers.base import CardRead, DriverError, ReaderAbsent, Report
from drivers.framing import Framer, Scan
from drivers.scans import ScanOptions


class Line(Protocol):
    """An opened scanner. Every failure is an OSError or a termios.error, and the line is then closed."""

    @property
    def name(self) -> str:
        """For the technician, as the config or the system names it."""

    def fileno(self) -> int:
        """Readable when there is something to take."""

    def take(self, framer: Framer) -> list[Scan]:
        """Feeds what has come, without waiting for more; the scans that it completes."""

    def close(self) -> None:
        """Never raises."""


class Scanner:
    """`attach` opens the line or raises the DriverError that says why not; `report` judges a scan."""

    def __init__(
        self, options: ScanOptions, attach: Callable[[], Line], report: Callable[[Scan], Report | None]
    ) -> None:
        self._ending = options.ending
        self._silence_s = options.silence_ms / 1000
        self._report = report
        self._attachment = Attachment(attach, lambda line: line.name)
        self._framer = Framer(self._ending)
        self._reports: deque[Report] = deque()
        self._began = self._last = 0.0

    def read(self, timeout_s: float) -> Report | None:
        """As drivers/base.py has it; no DriverError, for each becomes a condition here."""
        deadline = time.monotonic() + timeout_s
        if self._attachment.device is None:
            news = self._attachment.reach(deadline)
            if news is not None or self._attachment.device is None:
                return news
        line = self._attachment.device
        try:
            self._listen(line, deadline)
            while not self._reports and time.monotonic() < deadline:
                self._listen(line, deadline)
        except (OSError, termios.error):  # termios.error is no OSError, and pyserial lets it through
            return self._lose(line)
        return self._reports.popleft() if self._reports else None

    def close(self) -> None:
        if self._attachment.device is not None:
            self._attachment.device.close()
            self._attachment.device = None

    def _listen(self, line: Line, deadline: float) -> None:
        """Until something comes, a scan has been silent for too long, or the deadline."""
        until = deadline if self._framer.idle else min(deadline, self._last + self._silence_s)
        ready, _, _ = select.select([line], [], [], max(0.0, until - time.monotonic()))
        now = time.monotonic()
        if not self._framer.idle and now - self._last >= self._silence_s:
            self._tell(self._framer.silence(), now)
        if ready:
            if self._framer.idle:
                self._began = now
            self._last = now
            self._tell(line.take(self._framer), now)

    def _tell(self, scans: Iterable[Scan], now: float) -> None:
        for scan in scans:
            report = self._report(scan)
            if isinstance(report, CardRead):
                taken = round((time.monotonic() - self._began) * 1000, 3)
                report = msgspec.structs.replace(report, duration_ms=taken)
            if report is not None:
                self._reports.append(report)
            self._began = now

    def _lose(self, line: Line) -> Report | None:
        """What was read whole is still told, half a scan is not."""
        line.close()
        self._framer = Framer(self._ending)
        gone: DriverError = ReaderAbsent(f"{line.name} was unplugged or switched off", "plug it in again")
        news = self._attachment.lose(gone)
        if news is not None:
            self._reports.append(news)
        return self._reports.popleft() if self._reports else None
