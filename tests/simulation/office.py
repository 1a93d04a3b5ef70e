"""Head office: the books on a real file, which is killed, reopened, and restored from a backup."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.facts import Policy, UnknownCards
from ledger.sqlite_book import SqliteBook
from tests.simulation.clock import SimulatedTimepiece


class Office:
    """`restored` counts how often the books went back in time."""

    def __init__(self, folder: Path, timepiece: SimulatedTimepiece) -> None:
        self._path, self._backup = folder / "books.db", folder / "backup.db"
        self._timepiece = timepiece
        self.restored = 0
        self.book = self._opened()
        self.first_generation = self.book.generation

    def restart(self) -> None:
        """Ends without a word and comes back with what it had committed."""
        self.book.close()
        self.book = self._opened()

    def back_up(self) -> None:
        self._backup.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._path)) as source, closing(sqlite3.connect(self._backup)) as target:
            source.backup(target)

    def restore(self, *, told: bool) -> None:
        """The disk is gone: the last backup becomes the books, under a new generation if somebody has `told` them."""
        if not self._backup.exists():
            return
        self.book.close()
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink()
        shutil.copy(self._backup, self._path)
        if told:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as books:
                new = self._timepiece.random(16).hex()
                books.execute("UPDATE fact SET value = ? WHERE name = 'generation'", (new,))
        self.restored += 1
        self.book = self._opened()

    def return_rights(self) -> None:
        """What tills gave up after a crash stays held back until a person has seen that no copy of them runs."""
        held = self.book.allowances()
        assert all(right.state == "locked" for right in held), held
        if held:
            self.book.return_allowances([right.id for right in held], "office", "no copy of these tills runs")

    def _opened(self) -> SqliteBook:
        return SqliteBook(self._path, policy=Policy(UnknownCards.REGISTER), timepiece=self._timepiece)
