"""The messages between till and ledger: shapes only, shared by both ends (docs/protocol.md tells their meaning).

Requests and answers are JSON; a batch is JSON Lines: a `BatchHeader`, then the records as they are stored.
Times are RFC 3339 in UTC, hashes lower-case hex, keys and signatures base64 (RFC 4648 section 4).

Every request carries `Authorization: Tilld terminal=…, signature=…`: an Ed25519 signature (RFC 8032) of
`signing_input()` by the terminal's key. A GET carries its request id as the query parameter `request`, so
that the signature covers it; every answer and every Problem repeats it.
"""

import hashlib
import re
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from offline_queue.entry import Clock, Lane, Parent, State

PROTOCOL: Final = 2
"""The newest version spoken here; hello carries a range, and the ledger chooses the newest that both speak."""
OLDEST_PROTOCOL: Final = 1
RECEIPTS_FROM: Final = 2
"""The version since which a ledger that has told its key signs for what it holds."""
CHANGES_FROM: Final = 2
"""The version since which there is a feed of changes."""
MAX_BATCH: Final = 1000
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
BATCH_TYPE: Final = "application/x-ndjson"

Seq = Annotated[int, msgspec.Meta(ge=1, lt=2**40)]
"""A place in a stream; journal and books have 40 bits for it."""
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
"""Numbers beyond 53 bits are not the same everywhere (RFC 8259 section 6), and no database column holds any size."""
Points = Annotated[int, msgspec.Meta(gt=-(2**53), lt=2**53)]


class StreamHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the till holds of one stream: `seq` and `hash` of its last record."""

    stream: str
    lane: Lane
    seq: Seq
    hash: str
    accepted: Count
    sealed: bool = False
    parent: Parent | None = None


class Hello(msgspec.Struct, frozen=True, omit_defaults=True):
    """First word of a till: who it is, what it holds, what it knows of the ledger.

    `streams` are all that are open, not wholly accepted, or not covered by a backup; `allowances` the ids of rights
    neither consumed nor released; `time` the till's own clock, for the ledger's measure of its skew, and `clock` all of
    its clocks, by which the ledger places the sales of this boot.
    """

    request: str
    terminal: str
    public_key: str
    protocol_min: int
    protocol_max: int
    software: str
    streams: list[StreamHead]
    time: str
    generation: str | None = None
    allowances: list[str] = []
    clock: Clock | None = None


class Marks(msgspec.Struct, frozen=True):
    """How far the ledger holds a stream: in custody up to `accepted`, covered by its backup up to `stable`."""

    accepted: int
    stable: int


class OrderCode(StrEnum):
    """What the ledger has found out about this till, for whoever mends it."""

    RESTORED = "restored"  # this journal continues an older state of itself
    FORK = "fork"  # another machine continues the same past
    JOURNAL_LOST = "journal_lost"  # streams that the ledger holds have no child here
    CLOCK_OFF = "clock_off"  # the till's wall clock is far from the ledger's
    KEY_REVOKED = "key_revoked"  # nothing that this key signs has an effect
    LEDGER_RESTORED = "ledger_restored"  # found by the till: the books went back in time
    CUSTODY_BROKEN = "custody_broken"  # found by the till: the ledger holds less than it acknowledged


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """A finding and what it means, in English for the technician."""

    code: str
    detail: str


class Welcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to Hello. `generation` changes when the ledger was restored from a backup.

    From version 2 on: `ledger_key` (base64, Ed25519) signs receipts of custody; `rights` tells of each declared
    allowance whether it holds in this start of the till (True), or is void (False); `changes` is the end of the feed of
    changes; `recovering` while nothing may be promised because the books went back in time. `encodings` are the content
    codings (RFC 9110 section 8.4.1) besides none in which a batch may be sent.
    """

    request: str
    protocol: int
    generation: str
    streams: dict[str, Marks]
    time: str
    next_sync_after_s: float
    ledger_key: str | None = None
    rights: dict[str, bool] = {}
    changes: Count = 0
    recovering: bool = False
    orders: list[Order] = []
    encodings: list[str] = []


class BatchHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """First line of a batch: `count` records from `first` on; `head` is the chain's hash after the last of them.

    A peer that delivers what it mirrors for another till names the `owner`, with the owner's `seal` (base64, Ed25519)
    over `seal_input()` of a head that the records lead to.
    """

    request: str
    stream: str
    first: Seq
    count: Count
    head: str
    generation: str
    owner: str | None = None
    seal: str | None = None


class Custody(msgspec.Struct, frozen=True):
    """The ledger's receipt: at `at` it held the stream durably up to `seq` with the chain's hash `head`.

    `signature` (base64, Ed25519) is over `custody_input()` by the ledger's key; it is never contradicted.
    """

    seq: Count
    head: str
    at: str
    signature: str


class BatchAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ledger has custody up to `accepted`, whatever it thinks of the records; `custody` proves it (version 2)."""

    request: str
    stream: str
    generation: str
    accepted: int
    stable: int
    custody: Custody | None = None


class Park(msgspec.Struct, frozen=True):
    """One record that cannot be delivered in a batch, as opaque bytes (base64)."""

    request: str
    stream: str
    seq: Seq
    record: str
    generation: str


class AllowanceRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Asks for the right to redeem `points`; `id` is made by the till and re-sent unchanged until answered.

    `least`: fewer than `points` are welcome too, down to so many (a right that is asked for ahead of its use).
    """

    request: str
    id: str
    card: str
    points: Points
    stream: str
    least: Points | None = None


class Expiry(msgspec.Struct, frozen=True):
    """So many `points` may be used until `at` (RFC 3339, exclusive)."""

    at: str
    points: Points


class Balance(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account as the ledger sees it: `points` that may be used now, `reserved` of them promised to tills.

    `inactive` points are earned and may not be used yet; `expiring` are the next expiries, the soonest first;
    `successor` is the card that stands for this one.
    """

    number: str
    points: Points
    reserved: Count
    as_of: str
    status: str = "active"
    inactive: Count = 0
    expiring: list[Expiry] = []
    successor: str | None = None


class AllowanceAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Granted or refused with a `code` (`insufficient_points`, `card_unknown`, `card_blocked_known`, `recovering`...).

    `points` granted, where they are fewer than asked for.
    """

    request: str
    id: str
    granted: bool
    code: str | None = None
    balance: Balance | None = None
    points: Points | None = None


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ledger's decision on the records `first`..`last` of a stream: their state and why.

    Posted records of one batch of which the same is told share a verdict; every other record has its own. A later
    verdict on the same record replaces the earlier one (a parked earn is posted when its card is registered).
    `points` is the effect of each record on the account, negative for a redemption, where it differs from what was
    asked: 0 for sales that were in the books before.
    """

    n: Count
    stream: str
    first: Seq
    last: Seq
    state: State
    code: str
    detail: str | None = None
    points: Points | None = None


class Decisions(msgspec.Struct, frozen=True):
    """A page of the feed for this terminal: verdicts in order of `n`; ask again after `next` while `more`."""

    request: str
    generation: str
    verdicts: list[Verdict]
    balances: list[Balance]
    next: Count
    more: bool


class Lot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points of one award that are left."""

    entry: str
    earned_at: str
    points: Points
    remaining: Points
    active_at: str | None = None
    expires_at: str | None = None


class Account(msgspec.Struct, frozen=True):
    """Everything that a till may know of an account."""

    request: str
    generation: str
    balance: Balance
    lots: list[Lot]


class PhoneLookup(msgspec.Struct, frozen=True):
    """Whose cards? `phone` in international form (ITU-T E.164): `+` and 7 to 15 digits."""

    request: str
    phone: str


class PhoneFound(msgspec.Struct, frozen=True):
    """The numbers of the cards that head office has linked to the phone, newest first; none where it knows none."""

    request: str
    generation: str
    cards: list[str]


class CardChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a card is from now on: `active`, `inactive`, `blocked`, `replaced` or `merged`, and into which."""

    number: str
    status: str
    successor: str | None = None


class KeyChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A terminal's public key (base64) with which claim codes are checked; `revoked`: what it signs counts no more."""

    terminal: str
    public_key: str
    revoked: bool = False


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change that every till takes over, numbered `n`; exactly one of the others is there."""

    n: Count
    card: CardChange | None = None
    key: KeyChange | None = None


class Changes(msgspec.Struct, frozen=True):
    """A page of the feed of changes, in order of `n`: it counts wholly or not at all. After `next` come `more`."""

    request: str
    generation: str
    changes: list[Change]
    next: Count
    more: bool


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem document. `expected` is the seq a gap waits for, `retry_after_s` an order to wait."""

    title: str
    status: int
    code: str
    detail: str | None = None
    type: str = "about:blank"
    request: str | None = None
    generation: str | None = None
    expected: int | None = None


class ProblemCode(StrEnum):
    """Why the ledger took nothing: the `code` of a Problem, with its HTTP status."""

    MALFORMED = "malformed"  # 400
    TERMINAL_UNKNOWN = "terminal_unknown"  # 401
    SIGNATURE_BAD = "signature_bad"  # 401
    ACCOUNT_UNKNOWN = "account_unknown"  # 404
    GAP = "gap"  # 409: `expected` is the seq the ledger waits for
    GENERATION = "generation"  # 409: `generation` is the ledger's; say hello
    KEY_MISMATCH = "key_mismatch"  # 409: this id was used before with other content
    TOO_LARGE = "too_large"  # 413
    TOO_MANY_LOOKUPS = "too_many_lookups"  # 429: more phone numbers than a queue has customers; come again later
    PROTOCOL = "protocol"  # 426
    LEDGER_KEY = "ledger_key"  # found by the till: this ledger signs with another key than before
    BUSY = "busy"  # 503: too many tills at once; come again after Retry-After
    UNAVAILABLE = "unavailable"  # 503: the books cannot be used now; send it again


_AUTHORIZATION: Final = re.compile(r"Tilld terminal=([A-Za-z0-9._-]{1,64}), signature=([A-Za-z0-9+/]{86}==)")


def authorization(terminal: str, signature: str) -> str:
    """The Authorization header; `signature` in base64."""
    return f"Tilld terminal={terminal}, signature={signature}"


def parse_authorization(header: str) -> tuple[str, str] | None:
    """The terminal and the signature (base64) of an Authorization header, None when it is none of ours."""
    found = _AUTHORIZATION.fullmatch(header)
    return (found[1], found[2]) if found else None


def signing_input(method: str, path: str, body: bytes) -> bytes:
    """What a request's signature covers; `path` with its query."""
    return b"tilld-1\n" + method.encode() + b"\n" + path.encode() + b"\n" + hashlib.sha256(body).digest()


def custody_input(terminal: str, stream: str, seq: int, head: str, at: str) -> bytes:
    """What the ledger's receipt of custody covers."""
    return f"tilld-custody-1\n{terminal}\n{stream}\n{seq}\n{head}\n{at}".encode()


def seal_input(terminal: str, stream: str, seq: int, head: str) -> bytes:
    """What a till's seal on the end of its stream covers, for a peer that delivers the records."""
    return f"tilld-seal-1\n{terminal}\n{stream}\n{seq}\n{head}".encode()
