"""What every keeper of books offers, whichever engine lies below: the wire's calls, and those of the office.

Each call is one transaction: when it has returned, it is durable. All may be called from any thread.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import msgspec

from ledger.explanation import Explanation
from offline_queue.entry import Happening, Resolution
from offline_queue.wire import (
    Account,
    AllowanceAnswer,
    AllowanceRequest,
    BatchAnswer,
    BatchHeader,
    Changes,
    Decisions,
    Hello,
    Lot,
    Park,
    PhoneFound,
    PhoneLookup,
    Problem,
    Welcome,
)

if TYPE_CHECKING:
    from ledger.receipts import Signer


class Refused(Exception):
    """The answer is a problem document; nothing was changed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class BooksUnusable(Exception):
    """These books cannot be opened: `what` is wrong, what it `means` for the points, and the `remedy`."""

    def __init__(self, where: str, what: str, meaning: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}. {meaning} {remedy}")


class NotRecorded(Exception):
    """The books could not be written; nothing of the call was done and it may be repeated."""


class Terminal(msgspec.Struct, frozen=True):
    """An enrolled till: `public_key` in base64, times RFC 3339, `records` in custody over its `streams`.

    `findings`: what was found against it and nobody has acknowledged yet (codes of wire.OrderCode). `revoked`: why its
    key counts no more.
    """

    name: str
    public_key: str
    enrolled_at: str
    seen_at: str | None
    software: str | None
    streams: int
    forks: int
    records: int
    findings: list[str] = []
    revoked: str | None = None


class Line(msgspec.Struct, frozen=True):
    """An entry that explains an account: `points` is its effect with sign, `asked` what the entry itself says.

    A correction `corrects` another entry for a `reason`.
    """

    id: str
    kind: str
    points: int
    asked: int
    code: str
    terminal: str
    occurred_at: str
    posted_at: str | None
    receipt: str | None = None
    reverses: str | None = None
    corrects: str | None = None
    reason: str | None = None


class CardWear(msgspec.Struct, frozen=True):
    """How hard a card was to read by a technology (0 to 100) when `terminal` last told."""

    number: str
    technology: str
    wear: int
    terminal: str
    occurred_at: str


class Statement(msgspec.Struct, frozen=True):
    """An account with all that explains it; a lot below zero is an overdraft that later awards repay.

    `points` is the sum of its lots and of its entries: those `usable` now, less any overdraft, the `inactive` ones that
    may be used later, and the `expired` ones that have not been written off.
    """

    number: str
    points: int
    reserved: int
    as_of: str
    lots: list[Lot]
    entries: list[Line]
    waiting: list[Line]
    usable: int = 0
    inactive: int = 0
    expired: int = 0
    wear: list[CardWear] = []


class Flagged(msgspec.Struct, frozen=True):
    """A record that waits or needs a person's look; its `id` is None where it cannot be read, `card` is masked.

    `name` is what a correction calls it: its id, or STREAM:SEQ where it cannot be read or is not of whom it says.
    """

    terminal: str
    stream: str
    seq: int
    state: str
    code: str
    detail: str | None
    id: str | None
    kind: str | None
    points: int | None
    card: str | None
    name: str


class Outcome(msgspec.Struct, frozen=True):
    """What a decision would do: the entry `shall` have had so many points, `effect` is posted for that.

    `balance` is the account's then; `why_not` tells why it cannot be decided so.
    """

    shall: int
    effect: int
    balance: int | None = None
    why_not: str | None = None


class Told(msgspec.Struct, frozen=True):
    """An earlier word on an entry: by whom and why, and what the entry had and was to have."""

    id: str
    author: str
    reason: str
    terminal: str
    had: int
    shall: int


class Conflict(msgspec.Struct, frozen=True):
    """An entry and all that bears on its resolution.

    `asked` is the effect it asked for, `has` its effect now, `undone` what reversals made of that. `first` is the entry
    that stands under the same key. `balance` and `reserved` are those of its account, None without one.
    """

    record: Flagged
    occurred_at: str | None
    receipt: str | None
    asked: int
    has: int
    undone: int
    balance: int | None
    reserved: int | None
    first: Line | None
    words: list[Told]
    honour: Outcome
    refuse: Outcome


class Settled(msgspec.Struct, frozen=True):
    """What became of a resolution: the `correction` that says it, and its `effect` on the account.

    `code` is that of the correction's verdict; `repeated` where the entry was settled like this before.
    """

    id: str
    correction: str
    effect: int
    code: str
    detail: str | None
    repeated: bool = False


class Verification(msgspec.Struct, frozen=True):
    """The invariants, computed again from the books; `liability` is what the programme owes all its customers.

    Of it are `usable` now, less all overdrafts, `inactive` yet, or `expired` and not written off.
    """

    ok: bool
    records: int
    streams: int
    accounts: int
    postings: int
    liability: int
    problems: list[str]
    usable: int = 0
    inactive: int = 0
    expired: int = 0


class Cleared(msgspec.Struct, frozen=True):
    """Expired `points` of so many `lots` have left so many accounts; `following` is where to go on, None at the end."""

    accounts: int
    lots: int
    points: int
    following: tuple[int, int] | None = None

    def plus(self, later: "Cleared") -> "Cleared":
        """Both together; what follows is what follows the later one."""
        accounts, lots, points = self.accounts + later.accounts, self.lots + later.lots, self.points + later.points
        return Cleared(accounts, lots, points, later.following)


class Registration(msgspec.Struct, frozen=True):
    """What became of a card's registration and of its opening points: `code` as in a verdict, None without points."""

    number: str
    opened: bool
    points: int
    code: str | None
    detail: str | None


class Held(msgspec.Struct, frozen=True):
    """A right that holds points back, bound to a stream of its terminal. `card` is masked, `granted_at` RFC 3339.

    `locked`: its holder has given it up, but a copy of that till might still use it.
    """

    id: str
    terminal: str
    stream: str
    card: str
    points: int
    state: str
    granted_at: str | None


class Recovery(msgspec.Struct, frozen=True):
    """Whether the books went back in time and promise nothing yet, and whom they wait for."""

    on: bool
    waiting: list[str]
    reported: list[str]


class CardShown(msgspec.Struct, frozen=True):
    """A card in the books: its `status`, the card that `stands` for it in the end and what that one is.

    `account` is the number of the account behind it, None where there is none. After an act `entry` is that of the act,
    `code` and `detail` what became of it: `posted`, or why it could not be.
    """

    number: str
    status: str
    stands: str | None
    stands_as: str
    account: int | None
    points: int | None
    reserved: int | None
    entry: str | None = None
    code: str | None = None
    detail: str | None = None


class Book(Protocol):
    """The central books of points. Every call may raise NotRecorded."""

    @property
    def generation(self) -> str:
        """A random id of these books' history; another one means that they were restored."""

    @property
    def clerks(self) -> int:
        """How many calls are worth being made at once."""

    def hello(self, hello: Hello) -> Welcome:
        """From an enrolled terminal. Raises Refused `protocol`."""

    def take(self, terminal: str, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        """Custody and decisions for a batch. Raises Refused `gap`, `generation`, `malformed`."""

    def park(self, terminal: str, park: Park) -> BatchAnswer:
        """Custody of one record, decided apart, so that nothing in it can stop those behind it."""

    def allowance(self, terminal: str, request: AllowanceRequest) -> AllowanceAnswer:
        """Reserves at once; the same id gives the first answer again.

        Raises Refused `key_mismatch`, and `generation` before a hello has told of the stream.
        """

    def allowances(self, terminal: str | None = None) -> list[Held]:
        """Rights that hold points back, the oldest first; of one terminal or of all."""

    def return_allowances(self, ids: Sequence[str], author: str, reason: str) -> list[Held]:
        """Frees their points by entries of its own. Raises Refused `malformed` where one holds nothing back."""

    def recovery(self) -> Recovery: ...

    def waive_recovery(self, terminals: Sequence[str]) -> Recovery:
        """Waits no longer for these, or for nobody. Raises Refused `malformed` for one that is not waited for."""

    def decisions(self, terminal: str, request: str, after: int, limit: int) -> Decisions:
        """The terminal's verdicts beyond the cursor `after`, at most `limit` of them, with balances as of now."""

    def changes(self, request: str, after: int, limit: int) -> Changes:
        """What every till takes over, beyond the cursor `after`, at most `limit` of it."""

    def account(self, request: str, number: str) -> Account | None: ...

    def phone(self, lookup: PhoneLookup) -> PhoneFound:
        """The cards that the office has linked to a phone number. Raises Refused `malformed`."""

    def link_phone(self, number: str, phone: str, author: str) -> None:
        """The card is found by this phone number, and by no other. Raises Refused."""

    def unlink_phone(self, number: str) -> bool:
        """The card is found by no phone number; False when it was not anyway."""

    def public_key(self, terminal: str) -> bytes | None:
        """The enrolled Ed25519 key, 32 bytes."""

    def terminal_keys(self, terminal: str) -> list[bytes]:
        """The enrolled key and those before it, but for revoked ones: what they signed in their time stays proven."""

    def credited(self, entry: str) -> str | None:
        """A card of the account that has the points of the entry with this id; None while nobody has them."""

    def enrol(self, terminal: str, public_key: bytes, *, replace: bool = False) -> bool:
        """False when another key is enrolled and may not be replaced."""

    def backup(self, path: Path) -> int:
        """A copy in one file, sound and synced; tills may give up what it holds. How many streams that brings forward.

        Raises Refused where the engine is backed up by its own tools, and NotRecorded.
        """

    def begin_backup(self) -> None:
        """Notes what is held now, before somebody makes a backup with the engine's own tools."""

    def declare_backup(self) -> int:
        """That backup is complete and kept: as `backup`. Raises Refused where none was begun."""

    def acknowledge(self, terminal: str) -> int | None:
        """Somebody has looked at what was found against a terminal: how many findings; None without the terminal."""

    def revoke(self, terminal: str, reason: str) -> bool:
        """What the terminal's key signs from now on has no effect; `enrol` with `replace` ends that. False: unknown."""

    def register(self, number: str, points: int = 0) -> Registration:
        """Opens the card's account and credits what waited for it; `points` are given once per card."""

    def card(self, number: str) -> CardShown: ...

    def happen(
        self, number: str, happening: Happening, author: str, reason: str, successor: str | None = None
    ) -> CardShown:
        """What happens to a card by the office's word, as an entry of its own. Raises Refused `malformed`."""

    def expire(self, after: tuple[int, int] = (0, 0)) -> Cleared:
        """Writes off what expired long ago, on a few accounts `after` a place; entries of the office say which."""

    def statement(self, number: str) -> Statement | None: ...

    def explanation(self, number: str) -> Explanation | None:
        """Every point of a card's account by the entries and rules behind it; None without an account."""

    def terminals(self) -> list[Terminal]: ...

    def flagged(self) -> list[Flagged]: ...

    def conflict(self, name: str) -> Conflict | None:
        """Everything that one needs to decide on an entry, by its id or as STREAM:SEQ; None where it is not here."""

    def resolve(self, name: str, resolution: Resolution, points: int | None, author: str, reason: str) -> Settled:
        """Settles an entry by a correction of the office's own; the same word again changes nothing.

        Raises Refused `entry_unknown`, `no_account` and `malformed`.
        """

    def verify(self) -> Verification: ...

    def export(
        self, out: BinaryIO, terminal: str | None = None, stream: str | None = None, signer: "Signer | None" = None
    ) -> int:
        """Writes every record with what was decided of it (offline_queue/export_lines.py); how many there are.

        Of one terminal or stream, or of all. A `signer` gives a receipt of custody for the end of each.
        """

    def close(self) -> None: ...
