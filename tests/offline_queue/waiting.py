"""What threads have reported, to be waited for within a bound."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Heard(Generic[T]):
    """Collects values from any thread; `until` waits for one that fits."""

    def __init__(self) -> None:
        self.all: list[T] = []
        self._more = threading.Condition()

    def __call__(self, value: T) -> None:
        with self._more:
            self.all.append(value)
            self._more.notify_all()

    def until(self, fits: Callable[[T], bool], timeout_s: float = 20.0) -> T:
        """The first value that fits, past or to come."""
        with self._more:
            assert self._more.wait_for(lambda: any(map(fits, self.all)), timeout_s), self.all
            return next(value for value in self.all if fits(value))
