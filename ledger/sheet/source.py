"""What a batch asks of the books, whichever engine keeps them, and the values that go to and fro."""

from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from ledger.facts.cards import Listing
from ledger.facts.case import Decision, Enrolled, First, Item, Original, Shown
from ledger.facts.codes import Code
from ledger.facts.rights import Right
from ledger.points.lots import Lot
from ledger.points.standing import Standing
from ledger.rules.confirming import Link
from ledger.rules.corrections import Dispute, Spoken
from ledger.rules.instants import Anchor
from offline_queue.entry import Entry

K = TypeVar("K")
V = TypeVar("V")


class Ruling(msgspec.Struct, frozen=True, gc=False):
    item: Item
    decision: Decision


class Posting(msgspec.Struct, frozen=True, gc=False):
    """Double entry in one row: `points` go to `account` and the programme's liability carries the opposite."""

    record: int
    entry: str
    account: int
    points: int
    original: int | None
    code: Code
    posted_at: int


Asking = Mapping[str, tuple[Item, Entry]]
"""By key, the record that asks for it."""
Asked = Callable[[], V]
"""An answer that is under way: the engine looks for it while we do something else. Calling waits for it."""


class Source(Protocol):
    """What the books hold, asked in bulk; what they do not hold is missing in the answers.

    Others may write at the same time. What a call says it `holds` stays as told until the transaction ends; the calls
    that hold are made in the order in which they stand here, so that two batches never wait for each other in a circle.
    """

    @property
    def keeps_names(self) -> bool:
        """Whether `announce` leaves every name where people find its record; else only those wanted are written."""

    def enrolled(self, terminals: Sequence[str]) -> dict[str, Enrolled]: ...

    def anchors(self, boots: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Anchor]:
        """What the clocks of terminals' boots said when the ledger's did, by terminal and boot id."""

    def keys(self, terminals: Sequence[str]) -> dict[str, list[bytes]]:
        """The public keys that each terminal has had, but for revoked ones."""

    def kin(self, number: str) -> list[str]:
        """The cards of this card's account."""

    def cards(self, numbers: Sequence[str]) -> Asked[dict[str, Listing]]: ...

    def expect(self, numbers: Sequence[str]) -> dict[str, Listing]:
        """The same, and holds them: nothing happens unseen to a card without an account, or to one that is marked."""

    def rights(self, ids: Sequence[str]) -> dict[str, Right]:
        """Holds those that are there."""

    def homes(self, entries: Sequence[str]) -> dict[str, int]:
        """The account that each posted entry moved. Holds the ids, also of entries that are not posted."""

    def named(self, names: Sequence[str]) -> dict[str, int]:
        """The record of each entry that a correction names: by its id, or as STREAM:SEQ where it has none that counts.

        Holds the names, also of entries that have not come, and what the records wait for.
        """

    def disputes(self, records: Sequence[int]) -> dict[int, Dispute]:
        """Those that are decided. Asked when their names are held, and their accounts."""

    def spoken(self, records: Sequence[int]) -> dict[int, tuple[int, Spoken]]:
        """The record that each of these corrections corrected, and the word."""

    def duplicates(self, entries: Sequence[str]) -> dict[str, str]:
        """The entry that stands in the books for each of these, which repeats its sale under another id."""

    def claim(self, keys: Mapping[str, int], asking: Asking = ...) -> Asked[dict[str, First]]:
        """Takes each idempotency key for a record where it is free, else tells who has it; holds the keys.

        `asking` are those records, for all keys or none: where a holder says the very same, that need not be read
        again, and its entry is the asking one.
        """

    def receipts(self, names: Mapping[str, int]) -> dict[str, int]:
        """The same for the receipts that a sale was made on: the record that has it already. Holds them."""

    def shown(self, subjects: Sequence[str]) -> dict[str, Shown]:
        """The furthest presentation of each chip or code that proves itself. Asked when its card's account is held."""

    def key_hash(self, key: str) -> int | bytes:
        """What the index of idempotency keys knows of one."""

    def let_go(self, keys: Mapping[str, int], receipts: Mapping[str, int]) -> None:
        """Gives back those of these keys and receipts that were taken in this batch for these records."""

    def announce(self, entries: Mapping[str, int]) -> Asked[list[str]]:
        """Entries, by id, that come to stand in these records: those that records may wait for. Holds the ids."""

    def take_back(self, entries: Mapping[str, int]) -> None:
        """What was announced in this batch does not stand in these records; who waits for it goes on waiting."""

    def standings(self, accounts: Sequence[int]) -> dict[int, Standing]:
        """Holds the accounts, and with each its postings, lots and reservations."""

    def offline_days(self, days: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """Points redeemed without an allowance by account and business day. Asked when the accounts are held."""

    def originals(self, entries: Sequence[str]) -> dict[str, Original]:
        """Asked when their accounts are held."""

    def waiting(self, reasons: Sequence[str]) -> dict[str, list[Item]]: ...

    def take_up(self, records: Sequence[int]) -> set[int]:
        """Ends the waiting of those records that still wait, and returns them."""

    def open_lots(self, account: int) -> list[Lot]: ...

    def written_off(self, account: int) -> list[Lot]:
        """Those of which expired points have left the books."""

    def makers(self, account: int, records: Sequence[int]) -> dict[int, str]:
        """The ids of the entries in these records, which made lots of the account."""

    def entered(self) -> int:
        """How many entries the office has made in this generation."""

    def enter(self, record: bytes) -> Item:
        """Takes an entry of the office's own into custody, at the end of its stream."""

    def trail(self, account: int, redemption: int) -> tuple[list[tuple[int, int]], list[Lot]]:
        """The moves (lot, points) of a redemption and its reversals, and the lots that they touch."""

    def new_account(self) -> int: ...

    def move_account(self, giver: int, taker: int) -> None:
        """What the books hold of an account is another one's from here on: its cards, lots and open allowances."""

    def links(self, terminal: str, uid: str, end: str) -> list[Link]:
        """From a stream back to `end`, or as far as the books know the way."""

    def spent(self, uid: str) -> int:
        """Points of rights for whose sake the end of this stream was believed."""


class Known(Generic[K, V]):
    """Answers of the source, absences included, and what this batch has put over them."""

    def __init__(self, fetch: Callable[[Sequence[K]], dict[K, V]]) -> None:
        self._fetch = fetch
        self._values: dict[K, V | None] = {}
        self.changed: dict[K, V] = {}

    def warm(self, keys: Iterable[K]) -> None:
        """One question for all keys that were not asked before."""
        if missing := self.missing(keys):
            self._values.update(dict.fromkeys(missing))
            self._values.update(self._fetch(missing))

    def missing(self, keys: Iterable[K]) -> list[K]:
        """Those that were not asked before, each once."""
        return [key for key in dict.fromkeys(keys) if key not in self._values]

    def learn(self, keys: Iterable[K], found: Mapping[K, V]) -> None:
        """What was asked otherwise: `found` of these keys, and nothing of the others. What was put stays."""
        self._values.update({key: found.get(key) for key in keys if key not in self.changed})

    def knows(self, key: K) -> bool:
        return key in self._values

    def asked(self) -> KeysView[K]:
        return self._values.keys()

    def get(self, key: K) -> V | None:
        if key not in self._values:
            self.warm((key,))
        return self._values[key]

    def put(self, key: K, value: V) -> None:
        self._values[key] = self.changed[key] = value
