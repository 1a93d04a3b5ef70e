"""Card reads on their way to Odoo as barcodes: each is for whoever asks next, within five seconds, once."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from terminal.notices import Notices

FRESH_S: Final = 5.0
"""A card of the customer before is never taken for this one's (Odoo's own box drops what is older, too)."""
KEPT: Final = 20


class _Card(msgspec.Struct):
    number: str | None = None


class _Read(msgspec.Struct):
    card: _Card


class Scans:
    """Follows the till's notices from `start` to `stop`. `clock_s` never goes back."""

    def __init__(self, notices: Notices, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._notices, self._clock_s = notices, clock_s
        self._position, _ = notices.position(None)
        self._kept: deque[tuple[float, str]] = deque(maxlen=KEPT)
        self._waiting: set[Callable[[], None]] = set()
        self._lock = threading.Lock()
        self._watching = ExitStack()

    def start(self) -> None:
        self._watching.enter_context(self._notices.watched(self._heard))

    def stop(self) -> None:
        self._watching.close()

    def take(self) -> str | None:
        """The oldest number that is still fresh; nobody gets it again."""
        oldest = self._clock_s() - FRESH_S
        with self._lock:
            while self._kept:
                at, number = self._kept.popleft()
                if at >= oldest:
                    return number
        return None

    @contextmanager
    def waiting(self, wake: Callable[[], None]) -> Iterator[None]:
        """`wake` is called after each card, from the publisher's thread; it must not block."""
        with self._lock:
            self._waiting.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(wake)

    def _heard(self) -> None:
        with self._lock:
            catch = self._notices.after(self._position)
            self._position = catch.position
            numbers = [_number(notice.told["en"].whole) for notice in catch.notices if notice.kind == "card_read"]
            self._kept.extend((self._clock_s(), number) for number in numbers if number)
            waiting = tuple(self._waiting) if numbers else ()
        for wake in waiting:
            wake()


def _number(whole: bytes) -> str | None:
    return msgspec.json.decode(whole, type=_Read).card.number
