"""How worn the cards are that come to this till: a table of the directory, which may be lost."""

from collections.abc import Mapping
from typing import Final

from drivers.base import Technology
from terminal.cards.shelf import Shelf
from terminal.cards.wear import Worn

TABLES: Final = (
    """
CREATE TABLE wear (
    number TEXT NOT NULL,
    technology TEXT NOT NULL,
    level REAL NOT NULL,      -- 0 to 100, smoothed over its reads here
    reads INTEGER NOT NULL,
    PRIMARY KEY (number, technology)
) STRICT, WITHOUT ROWID
""",
)
NAMES: Final = ("wear",)


class WearBook:
    """Used by the till's thread alone."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def note(self, number: str, scores: Mapping[Technology, int]) -> dict[Technology, Worn]:
        """Takes over the scores of one presentation; the card by each of their technologies after it."""
        after = {technology: self.of(number, technology).read_again(score) for technology, score in scores.items()}
        rows = [(number, technology.value, worn.level, worn.reads) for technology, worn in after.items()]
        insert = "INSERT OR REPLACE INTO wear VALUES (?, ?, ?, ?)"
        self._shelf.write(lambda: self._shelf.connection.executemany(insert, rows))
        return after

    def of(self, number: str, technology: Technology) -> Worn:
        """As new where nothing is known."""
        query = "SELECT level, reads FROM wear WHERE number = ? AND technology = ?"
        with self._shelf.lock:
            row = self._shelf.connection.execute(query, (number, technology.value)).fetchone()
        return Worn(*row) if row else Worn()
