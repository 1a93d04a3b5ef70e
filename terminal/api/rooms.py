"""How many may be inside at once, so that no crowd keeps a sale out.

Whoever has shown the right token, or sits on the Unix socket, has rooms of their own. All others - the page, and
whatever else on this machine connects - share smaller ones, and their connections make way when all are taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from terminal.api.no_answer import CROWDED
from terminal.api.problems import overloaded

REQUESTS: Final = 300
STRANGERS_REQUESTS: Final = 100
STREAMS: Final = 50
"""Of each sort: a shop has a few screens, and a POS that forgets to close its streams still sells."""


class Room:
    """A bounded number of seats; used by the web server's loop alone."""

    def __init__(self, seats: int) -> None:
        self._free = seats

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Raises Refused (503 `busy`) when all are taken."""
        if not self._free:
            raise overloaded(CROWDED)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True)
class Rooms:
    """What one sort of caller shares: every request takes a seat, an event stream one of both."""

    requests: Room
    streams: Room

    @classmethod
    def of(cls, requests: int) -> "Rooms":
        return cls(Room(requests), Room(STREAMS))


@dataclass(eq=False)
class Visitor:
    """One connection: on the Unix socket or not, since when, and whether it has `proven` that it may act.

    `since` is in seconds of the server's loop.
    """

    is_local: bool
    since: float
    proven: bool = False

    @classmethod
    def of(cls, scope: Scope) -> "Visitor":
        """The one that the server has put into the state of each request (server.py)."""
        visitor: Visitor = scope["state"]["visitor"]
        return visitor
