"""A device that comes and goes: taken when it is there, and told as a state while it is not."""

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from drivers.base import Condition, DriverError, ReaderState

RETRY_S: Final = 0.5
"""Between two looks for a device: a customer does not notice, and a look costs less than a millisecond."""

Device = TypeVar("Device")


class Attachment(Generic[Device]):
    """`attach` takes the device or raises the DriverError that says why not; `ready` names it when it is taken."""

    def __init__(self, attach: Callable[[], Device], ready: Callable[[Device], str]) -> None:
        self.device: Device | None = None
        self._attach = attach
        self._ready = ready
        self._said: Condition | None = None
        self._next_try = 0.0

    def reach(self, deadline: float) -> Condition | None:
        """Tries to take the device, at most once and not before its time; the condition where it is news."""
        time.sleep(max(0.0, min(self._next_try, deadline) - time.monotonic()))
        if time.monotonic() < self._next_try:
            return None
        try:
            self.device = self._attach()
        except DriverError as error:
            self._next_try = time.monotonic() + RETRY_S
            return self._news(error.condition)
        return self._news(Condition(ReaderState.READY, self._ready(self.device)))

    def lose(self, error: DriverError) -> Condition | None:
        """The device has failed and must not be used again; taken anew a little later."""
        self.device = None
        self._next_try = time.monotonic() + RETRY_S
        return self._news(error.condition)

    def _news(self, condition: Condition) -> Condition | None:
        if condition == self._said:
            return None
        self._said = condition
        return condition
