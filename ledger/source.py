"""What a batch asks of the books, whichever engine keeps them, and the values that go to and fro."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from ledger.facts import Code, Decision, First, Original, Right, Standing
from ledger.lots import Lot

K = TypeVar("K")
V = TypeVar("V")


class Item(msgspec.Struct, frozen=True):
    """A record in custody: `record` is its number in the books, `sender` the terminal that signed for it."""

    record: int
    stream: str
    seq: int
    sender: str
    raw: bytes


class Ruling(msgspec.Struct, frozen=True):
    item: Item
    decision: Decision


class Posting(msgspec.Struct, frozen=True):
    """Double entry in one row: `points` go to `account` and the programme's liability carries the opposite."""

    record: int
    entry: str
    account: int
    points: int
    original: int | None
    code: Code
    posted_at: int


class Source(Protocol):
    """What the books hold, asked in bulk; keys that they do not hold are missing in the answers."""

    def firsts(self, keys: Sequence[str]) -> dict[str, First]: ...
    def cards(self, numbers: Sequence[str]) -> dict[str, int]: ...
    def standings(self, accounts: Sequence[int]) -> dict[int, Standing]: ...
    def originals(self, entries: Sequence[str]) -> dict[str, Original]: ...
    def duplicates(self, entries: Sequence[str]) -> dict[str, str]:
        """The entry that stands in the books for each of these, which repeats its sale under another id."""

    def rights(self, ids: Sequence[str]) -> dict[str, Right]: ...
    def waiting(self, reasons: Sequence[str]) -> dict[str, list[Item]]: ...
    def enrolled(self, terminals: Sequence[str]) -> dict[str, bool]: ...

    def open_lots(self, account: int) -> list[Lot]: ...
    def trail(self, redemption: int) -> tuple[list[tuple[int, int]], list[Lot]]:
        """The moves (lot, points) of a redemption and its reversals, and the lots that they touch."""

    def new_account(self) -> int: ...


class Known(Generic[K, V]):
    """Answers of the source, absences included, and what this batch has put over them."""

    def __init__(self, fetch: Callable[[Sequence[K]], dict[K, V]]) -> None:
        self._fetch = fetch
        self._values: dict[K, V | None] = {}
        self.changed: dict[K, V] = {}

    def warm(self, keys: Iterable[K]) -> None:
        """One question for all keys that were not asked before."""
        if missing := [key for key in dict.fromkeys(keys) if key not in self._values]:
            self._values.update(dict.fromkeys(missing))
            self._values.update(self._fetch(missing))

    def get(self, key: K) -> V | None:
        if key not in self._values:
            self.warm((key,))
        return self._values[key]

    def put(self, key: K, value: V) -> None:
        self._values[key] = self.changed[key] = value
