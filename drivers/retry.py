"""Between a driver and a device that fails: when to try again, and which of its states is news."""

import time
from collections.abc import Sequence

from drivers.base import Condition


class Retry:
    """`pauses_s` follow failures in a row, the last one all further failures."""

    def __init__(self, pauses_s: Sequence[float]) -> None:
        self._pauses_s = pauses_s
        self._failures = 0
        self._next_try = 0.0
        self._said: Condition | None = None

    def due_by(self, deadline: float) -> bool:
        """Waits for the next attempt's time, and no longer than to the deadline; whether it has come."""
        time.sleep(max(0.0, min(self._next_try, deadline) - time.monotonic()))
        return time.monotonic() >= self._next_try

    def failed(self) -> None:
        self._next_try = time.monotonic() + self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        self._failures += 1

    def at_once(self) -> None:
        """What was missing may have come: the next attempt waits no longer."""
        self._next_try = 0.0

    def went_well(self) -> None:
        """The next failure is a first one again."""
        self._failures = 0

    def is_news(self, condition: Condition) -> bool:
        """Whether it differs from the one that was told last."""
        return condition != self._said

    def news(self, condition: Condition) -> Condition | None:
        """The condition to tell, None when it is no news."""
        told, self._said = self._said, condition
        return None if condition == told else condition
