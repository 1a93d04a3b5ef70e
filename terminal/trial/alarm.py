"""Wakes the till when a trial's time is over: one timer at most, the latest word counts."""

import threading
from collections.abc import Callable


class Alarm:
    """`ring` is called from a thread of its own. `set` may be called from one thread; `stop` from any."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: threading.Timer | None = None

    def set(self, in_ms: int) -> None:
        """Rings once, in so many milliseconds, instead of when it was set for before."""
        self.stop()
        self._timer = threading.Timer(in_ms / 1000, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def start(self) -> None:
        """It waits to be set."""

    def stop(self) -> None:
        """It does not ring any more."""
        if self._timer is not None:
            self._timer.cancel()
