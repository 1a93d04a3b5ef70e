"""A device that comes and goes: taken when it is there, and told as a state while it is not."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from drivers.base import Condition, DriverError, ReaderState
from drivers.retry import Retry

RETRY_S: Final = 0.5
"""Between two looks for a device: a customer does not notice, and a look costs less than a millisecond."""

Device = TypeVar("Device")


class Attachment(Generic[Device]):
    """`attach` takes the device or raises the DriverError that says why not; `ready` names it when it is taken."""

    def __init__(self, attach: Callable[[], Device], ready: Callable[[Device], str]) -> None:
        self.device: Device | None = None
        self._attach = attach
        self._ready = ready
        self._retry = Retry((RETRY_S,))

    def reach(self, deadline: float) -> Condition | None:
        """Tries to take the device, at most once and not before its time; the condition where it is news."""
        if not self._retry.due_by(deadline):
            return None
        try:
            self.device = self._attach()
        except DriverError as error:
            self._retry.failed()
            return self._retry.news(error.condition)
        return self._retry.news(Condition(ReaderState.READY, self._ready(self.device)))

    def lose(self, error: DriverError) -> Condition | None:
        """The device has failed and must not be used again; taken anew a little later."""
        self.device = None
        self._retry.failed()
        return self._retry.news(error.condition)
