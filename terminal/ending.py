"""What ends the daemon, or makes it start anew: its own word, and signals.

SIGTERM and SIGINT end it for good, whatever else is said before or after. SIGUSR1 makes it read its config again.
"""

import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

READ_AGAIN: Final = signal.SIGUSR1
"""Not SIGHUP: that is what a closed terminal sends."""


class Ending:
    """Set when the daemon shall stop; `again` where it shall then start anew, with its config as it is by then.

    A threading.Event can deadlock here: a signal that comes while its lock is taken waits for the lock of the very
    thread that it interrupts. A SimpleQueue may be put into at any moment.
    """

    def __init__(self) -> None:
        self.again = False
        self._is_set = False
        self._word: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """From any thread, and in a signal's handler."""
        self._is_set = True
        self._word.put(None)

    def wait(self, timeout_s: float) -> bool:
        """Whether it is set by then."""
        if not self._is_set:
            with suppress(queue.Empty):
                self._word.get(timeout=timeout_s)
        return self._is_set


class Told:
    """What signals have said; `stop` is of the daemon that runs, or runs next. Used by the main thread alone."""

    def __init__(self) -> None:
        self.stop = Ending()
        self._for_good = False

    def anew(self) -> None:
        """Before the config is read again: from now on signals are meant for the daemon that will run by it."""
        self.stop = Ending()
        if self._for_good:
            self.stop.set()

    def hear(self, number: int, _: object = None) -> None:
        """A signal. A second SIGINT ends at once, which costs no record."""
        if number != READ_AGAIN:
            signal.signal(number, signal.SIG_DFL)
            self._for_good = True
        self.stop.again = not self._for_good
        self.stop.set()


@contextmanager
def heeding_signals() -> Iterator[Told]:
    """Also between two runs: SIGUSR1 that nobody heeds ends a process."""
    told = Told()
    earlier = {number: signal.signal(number, told.hear) for number in (signal.SIGTERM, signal.SIGINT, READ_AGAIN)}
    try:
        yield told
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
