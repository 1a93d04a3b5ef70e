"""What the till tells whoever watches: a bounded memory of events, each with an id from which one can resume.

The till publishes from its own threads; watchers live on the web server's loop. A watcher has no queue of its
own, only a position in the shared memory: a slow one cannot hold memory, and when the memory has moved past its
position it is told so, never left to believe that it saw everything.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from offline_queue.words import LANGUAGES, Language
from terminal.wording import plain

CAPACITY: Final = 1000
"""A busy till's quarter of an hour; about half a megabyte."""

FIRST: Final = "first"
"""Instead of an id: everything that is still kept."""
RESET: Final = "reset"
"""The kind of notice that says: events are missing here, ask for the state again."""


@dataclass(frozen=True)
class Told:
    """`whole` is an event's JSON for an authorised POS, `public` the same without card numbers."""

    whole: bytes
    public: bytes


@dataclass(frozen=True)
class Notice:
    """One event, as it is told in each language."""

    id: str
    kind: str
    told: Mapping[Language, Told]


@dataclass(frozen=True)
class Catch:
    """What a watcher has not seen: `notices` up to `position`; `missed` when older ones are gone for good."""

    notices: list[Notice]
    position: int
    missed: bool


class Notices:
    """Ids are `<start>-<n>`: `start` names this start of the daemon, `n` counts from 1."""

    def __init__(self, start: str, capacity: int = CAPACITY) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._kept: deque[Notice] = deque(maxlen=capacity)
        self._count = 0
        self._watchers: set[Callable[[], None]] = set()
        self._closed = False

    def publish(self, kind: str, data: object) -> None:
        """From any thread. `data` is anything that msgspec encodes, with Words in it."""
        told = _told(data)
        with self._lock:
            self._count += 1
            self._kept.append(Notice(f"{self._start}-{self._count}", kind, told))
            watchers = tuple(self._watchers)
        for wake in watchers:
            wake()

    def position(self, last_id: str | None) -> tuple[int, bool]:
        """Where a watcher that last saw `last_id` goes on, and whether it missed events.

        Without an id it goes on from now and has missed nothing; with FIRST from the oldest that is kept. An id of
        another start, or one that we never gave, cannot be resumed: events were missed.
        """
        with self._lock:
            newest, kept = self._count, len(self._kept)
        if not last_id:
            return newest, False
        if last_id == FIRST:
            return newest - kept, False
        number = last_id.rpartition("-")[2]
        position = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else -1
        if last_id != f"{self._start}-{position}" or position > newest:
            return newest, True
        return position, False

    def after(self, position: int) -> Catch:
        """Everything since `position` that is still kept."""
        with self._lock:
            wanted = self._count - position
            notices = list(self._kept)[-wanted:] if wanted else []
            return Catch(notices, self._count, missed=wanted > len(notices))

    def reset(self) -> Notice:
        """Tells one watcher that it missed events; it carries the newest id, from which one can resume."""
        return Notice(f"{self._start}-{self._count}", RESET, _MISSED)

    @contextmanager
    def watched(self, wake: Callable[[], None]) -> Iterator[None]:
        """`wake` is called after each publication and at the close, from the publisher's thread; it must not block."""
        with self._lock:
            self._watchers.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._watchers.discard(wake)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """No more watching: every watcher is woken and goes."""
        with self._lock:
            self._closed = True
            watchers = tuple(self._watchers)
        for wake in watchers:
            wake()


def _told(data: object) -> dict[Language, Told]:
    """Most events have no words in them: then all languages share one text."""
    told: dict[Language, Told] = {}
    for language in LANGUAGES:
        said = plain(data, language)
        one = Told(msgspec.json.encode(said), msgspec.json.encode(without_numbers(said)))
        told[language] = next((known for known in told.values() if known == one), one)
    return told


def without_numbers(plain: Any) -> Any:
    """The same data with every `number` of a card left out, at any depth."""
    if isinstance(plain, dict):
        hidden = "number" if "masked" in plain else None
        return {key: without_numbers(value) for key, value in plain.items() if key != hidden}
    if isinstance(plain, list):
        return [without_numbers(value) for value in plain]
    return plain


_MISSED: Final = _told({"reason": "missed"})
