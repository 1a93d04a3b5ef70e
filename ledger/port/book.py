"""What every keeper of books offers, whichever engine lies below: the wire's calls, and those of the office.

Each call is one transaction: when it has returned, it is durable. All may be called from any thread.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ledger.port.explanation import Explanation
from offline_queue.entry import Happening, Resolution
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, Park, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest, PhoneFound, PhoneLookup
from offline_queue.wire_feeds import Changes, Decisions

if TYPE_CHECKING:
    from ledger.books.receipts import Signer
    from offline_queue.claim_codes import Code
from ledger.port.cards import CardShown, Registration
from ledger.port.claims import Redeemed
from ledger.port.conflicts import Conflict, Flagged, Settled
from ledger.port.statements import Statement
from ledger.port.terminals import Held, Recovery, Terminal
from ledger.port.upkeep import Cleared, Verification


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

    def redeem_claim(self, code: "Code", number: str, author: str) -> Redeemed:
        """Credits the sale that a code tells of, once. Raises Refused `claim_unproven`, `malformed`."""

    def enrol(self, terminal: str, public_key: bytes, *, replace: bool = False) -> bool:
        """False when another key is enrolled and may not be replaced."""

    def backup(self, path: Path) -> int:
        """A copy in one file, sound and synced; tills may give up what it holds. How many streams that brings forward.

        Raises Refused where the engine is backed up by its own tools, and NotRecorded.
        """

    def begin_backup(self) -> str:
        """Notes what is held now, before somebody makes a backup with the engine's own tools.

        Where another was begun and not declared its note stays. The time of the one that counts (RFC 3339).
        """

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
