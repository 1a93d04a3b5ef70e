"""What the books ask of an engine: their tables inside one transaction, in the SQL that SQLite and PostgreSQL share.

A `?` stands for a value and `= ANY(?)` for any of a list. FOR UPDATE holds rows until the commit; an engine with one
writer at a time leaves it out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from ledger.sheet.source import Asked, Source

T = TypeVar("T")

SEQ_BITS: Final = 40
"""A record's number is its stream's number and its seq: a stretch of a stream is one scan of the table."""
SEQ_MASK: Final = (1 << SEQ_BITS) - 1


class Tables(Protocol):
    """Valid until the transaction ends."""

    def rows(self, query: str, *values: object) -> list[Any]: ...

    def many(self, columns: str, query: str, *values: object) -> Asked[list[Any]]:
        """Thousands of rows of numbers and texts: these columns of the query's, which are named there."""

    def scan(self, query: str, *values: object) -> Iterator[Any]:
        """The same a few at a time, for more than memory holds."""

    def change(self, statement: str, *values: object) -> None:
        """What is wrong with it may show only later, in the next question or at the commit; so with those below."""

    def insert(self, table: str, rows: Iterable[Sequence[object]], conflict: str = "", columns: str = "") -> None:
        """Whole rows, columns in the order of the schema, or only these; `conflict` is an ON CONFLICT clause."""

    def update(self, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        """The row that a value of the first column names gets the others'."""

    def next_account(self) -> int:
        """A number that no account has had."""

    def damage(self) -> Iterator[str]:
        """What the engine itself finds wrong with its storage."""


class Engine(Protocol):
    """Runs work in transactions; all may be called from any thread."""

    @property
    def clerks(self) -> int:
        """How many calls are worth being made at once."""

    def source(self, tables: Tables) -> Source:
        """What a batch asks, with the care that this engine's other writers need."""

    def write(self, work: Callable[[Tables], T]) -> T:
        """Does `work` in one transaction, more than once where others came in between. Raises NotRecorded."""

    def read(self, work: Callable[[Tables], T]) -> T:
        """Does `work` on one consistent view. Raises NotRecorded."""

    def copy(self, path: Path) -> None:
        """A copy of the books in one file, synced. Raises NotRecorded, and Refused where the engine has its own way."""

    def close(self) -> None: ...
