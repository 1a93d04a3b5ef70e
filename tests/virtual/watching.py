"""A supervised reader and everything it says, for tests that wait for an event instead of sleeping."""

import queue
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from drivers.base import CardRead, CardUnreadable, NoteWish, NoteWritten, ReaderState
from offline_queue.timepiece import SystemTimepiece
from terminal.inbox import CardFailed, CardPresented, Event, NoteTold, ReaderChanged, ReaderStatus
from terminal.readers.life import Limits
from terminal.readers.supervisor import ReaderSupervisor
from terminal.readers.tally import Tally

PATIENCE_S = 60.0
IMPATIENT = Limits(silence_s=4.0, first_pause_s=0.05, longest_pause_s=0.2)
"""A test need not wait as long as a customer; a child beats every 0.5 s once it has said its first word."""

Found = TypeVar("Found")


def read_of(number: str) -> Callable[[Event], bool | None]:
    """Finds the event of this number's read."""

    def found(event: Event) -> bool | None:
        return True if isinstance(event, CardPresented) and event.read.data == number else None

    return found


class Watched:
    """A reader in its own process, as the till has it. Use it as a context manager."""

    def __init__(
        self,
        folder: Path,
        driver: str,
        name: str = "counter",
        options: dict[str, Any] | None = None,
        limits: Limits = IMPATIENT,
        *,
        notes: bool = False,
    ) -> None:
        self.events: queue.Queue[Event] = queue.Queue()
        self.socket = folder / "readers" / f"{name}.sock"
        self.tally = Tally.of_reader(folder, name)
        self.supervisor = ReaderSupervisor(
            name, driver, options or {}, self.events.put, folder, SystemTimepiece(), self.tally, limits, notes=notes
        )

    def __enter__(self) -> Self:
        self.supervisor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.supervisor.stop()

    def wait(self, what: Callable[[Event], Found | None], patience_s: float = PATIENCE_S) -> Found:
        """The first thing found in the events to come. Raises AssertionError with all that came instead."""
        passed: list[Event] = []
        deadline = time.monotonic() + patience_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left)
            except queue.Empty:
                break
            if (found := what(event)) is not None:
                return found
            passed.append(event)
        raise AssertionError(f"not seen within {patience_s} s; seen: {passed}")

    def card(self) -> CardRead:
        return self.wait(lambda event: event.read if isinstance(event, CardPresented) else None)

    def failure(self) -> CardUnreadable:
        return self.wait(lambda event: event.failure if isinstance(event, CardFailed) else None)

    def noted(self, read: CardRead, data: bytes) -> NoteWritten:
        """What became of a note for the card that was read."""
        assert read.slot is not None
        assert read.uid is not None
        self.supervisor.write_note(NoteWish(read.slot, read.uid, data))
        return self.wait(lambda event: event.written if isinstance(event, NoteTold) else None)

    def state(self, state: ReaderState, but_not: str = "-") -> ReaderStatus:
        """The next status that is of this state, with another detail than `but_not`."""

        def found(event: Event) -> ReaderStatus | None:
            if not isinstance(event, ReaderChanged) or event.status.detail == but_not:
                return None
            return event.status if event.status.status is state else None

        return self.wait(found)

    def nothing_before(self, last: Callable[[Event], Any]) -> list[Event]:
        """Cards and failures that came before the event that `last` finds."""
        cards: list[Event] = []

        def gather(event: Event) -> Any:
            found = last(event)
            if found is None and isinstance(event, CardPresented | CardFailed):
                cards.append(event)
            return found

        self.wait(gather)
        return cards
