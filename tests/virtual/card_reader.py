"""A reader of chip cards that cards can be laid on, whatever the driver is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tests.virtual.cards import Card
from tests.virtual.watching import Watched


class Laid(Protocol):
    """A card that was laid down; `asked` holds the commands that it saw."""

    asked: list[bytes]


class CardReader(NamedTuple):
    """`options` lead the driver to it, `slot` is how it names it. One card lies there at a time."""

    driver: str
    options: dict[str, Any]
    slot: str
    insert: Callable[[Card], Laid]
    remove: Callable[[], None]

    def watched(self, folder: Path, **options: Any) -> Watched:
        """Its driver in a process, with further options."""
        return Watched(folder, self.driver, options=self.options | options)
