"""Head office: the books on a real file, which is killed, reopened, and put back from a backup.

`log` is every call that changed these books, with its time and chance: driven again it must lead to the same books.
"""

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.books.receipts import Signer
from ledger.facts.policy import Policy
from ledger.port.refusals import Refused
from ledger.sqlite.book import SqliteBook
from tests.simulation import templates
from tests.simulation.clock import SimulatedTimepiece

SIGNER: Final = Signer(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"L"))


@dataclass(frozen=True)
class Call:
    """A call of the book that was done at `now_ms` (since 1970), with the chance that it drew from."""

    name: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    now_ms: int
    chance: Any


class Retold:
    """A timepiece for driving a log again."""

    boot_id = "again"

    def __init__(self) -> None:
        self._call = Call("", (), {}, 0, random.Random(0).getstate())
        self._chance = random.Random(0)

    def at(self, call: Call) -> None:
        self._call = call
        self._chance.setstate(call.chance)

    def unix_ms(self) -> int:
        return self._call.now_ms

    def boottime_ms(self) -> int:
        return self._call.now_ms

    def random(self, count: int) -> bytes:
        return self._chance.randbytes(count)


class Office:
    """`restored` counts how often the books went back in time; `book` is what the wire and people use."""

    def __init__(self, folder: Path, timepiece: SimulatedTimepiece, policy: Policy) -> None:
        self._path, self._backup = folder / "books.db", folder / "backup.db"
        self.folder, self.timepiece, self.policy = folder, timepiece, policy
        self.restored = 0
        templates.place_books(self._path)
        self.log: list[Call] = [self._call("open")]
        self._backup_log: list[Call] = []
        self.book = self._opened()
        self.first_generation = self.book.generation

    def did(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Calls the book. Raises what it raises, and then nothing was changed."""
        call = self._call(name, *arguments, **named)
        done = getattr(self.book, name)(*arguments, **named)
        self.log.append(call)
        return done

    def tried(self, name: str, *arguments: Any) -> bool:
        """A person's act, which the book may refuse."""
        try:
            self.did(name, *arguments)
        except Refused:
            return False
        return True

    def restart(self) -> None:
        """Ends without a word and comes back with what it had committed."""
        self.book.close()
        self.log.append(self._call("open"))
        self.book = self._opened()

    def back_up(self) -> None:
        """From now on tills may give up what this backup covers."""
        log = [*self.log]
        self.did("backup", self._backup)
        self._backup_log = log

    def restore(self, *, told: bool) -> bool:
        """The disk is gone: the last backup becomes the books, under a new generation if somebody has `told` them."""
        if not self._backup.exists():
            return False
        self.book.close()
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink()
        shutil.copy(self._backup, self._path)
        self.log = [*self._backup_log]
        if told:
            self.log.append(self._call("told", self.timepiece.random(16).hex()))
            tell(self._path, self.log[-1].arguments[0])
        self.restored += 1
        self.log.append(self._call("open"))
        self.book = self._opened()
        return True

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """A look past the product into the tables."""
        return self.book._engine.connection.execute(query, values).fetchall()  # type: ignore[attr-defined]

    def _call(self, name: str, *arguments: Any, **named: Any) -> Call:
        return Call(name, arguments, named, self.timepiece.unix_ms(), self.timepiece.chance.getstate())

    def _opened(self) -> SqliteBook:
        return SqliteBook(self._path, policy=self.policy, timepiece=self.timepiece, signer=SIGNER)


def tell(path: Path, generation: str) -> None:
    """Somebody tells the books that they were put back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as books:
        books.execute("UPDATE fact SET value = ? WHERE name = 'generation'", (generation,))


def driven_again(log: list[Call], folder: Path, policy: Policy) -> SqliteBook:
    """Fresh books that went through the same calls; to be closed."""
    path, timepiece, book = folder / "again.db", Retold(), None
    templates.place_books(path)
    for call in log:
        timepiece.at(call)
        if call.name in ("open", "told") and book is not None:
            book.close()
        if call.name == "told":
            tell(path, *call.arguments)
        elif call.name == "open":
            book = SqliteBook(path, policy=policy, timepiece=timepiece, signer=SIGNER)
        elif call.name == "backup":
            getattr(book, call.name)(folder / "backup-again.db")
        else:
            getattr(book, call.name)(*call.arguments, **call.named)
    assert book is not None
    return book
