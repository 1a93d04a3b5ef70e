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


class Swallowed(threading.Event):
    """A thread's wake-up of which `stop` is told just before the thread clears it: the moment in which it is lost.

    That is the first time when `is_moment`.
    """

    def __init__(self, stop: Callable[[], None], is_moment: Callable[[], bool] = lambda: True) -> None:
        super().__init__()
        self.stopper = threading.Thread(target=stop)
        self.told = threading.Event()
        self._is_moment = is_moment

    def clear(self) -> None:
        super().clear()
        if not self.told.is_set() and self._is_moment():
            self.stopper.start()
            assert self.wait(60)
            self.told.set()
            super().clear()
