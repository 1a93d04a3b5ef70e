"""Technicians who have shown their token at the technician's page: a few at a time, for hours, in memory alone."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final

SCREEN_COOKIE: Final = "tilld_technician"
MOST: Final = 8
"""A shop has a few screens; the session that was used longest ago makes way."""
IDLE_S: Final = 2 * 3600.0
LONGEST_S: Final = 12 * 3600.0
"""A working day: a browser that is left open is nobody's door the next morning."""


class Sessions:
    """Used by the web server's loop alone. Secrets are 256 random bits, so a look-up is no guess worth timing."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._open: dict[str, tuple[float, float]] = {}

    def open(self) -> str:
        """The secret of a new one."""
        now, secret = self._clock_s(), secrets.token_urlsafe(32)
        while len(self._open) >= MOST:
            del self._open[min(self._open, key=lambda each: self._open[each][1])]
        self._open[secret] = (now, now)
        return secret

    def left_s(self, given: Sequence[str]) -> float | None:
        """How long the first of these that is open stays so, counted anew from now; None when none is."""
        for secret in given:
            if secret in self._open:
                return self._used(secret)
        return None

    def close(self, given: Sequence[str]) -> None:
        for secret in given:
            self._open.pop(secret, None)

    def _used(self, secret: str) -> float | None:
        now, (begun, last) = self._clock_s(), self._open[secret]
        if now - last >= IDLE_S or now - begun >= LONGEST_S:
            del self._open[secret]
            return None
        self._open[secret] = (begun, now)
        return min(IDLE_S, LONGEST_S - (now - begun))
