"""The messages between till and ledger: shapes only, shared by both ends (docs/protocol.md tells their meaning).

Here are the greeting, the records and what goes wrong; accounts are in wire_accounts.py, the two feeds in
wire_feeds.py, and what signatures cover in signing.py.

Requests and answers are JSON; a batch is JSON Lines: a `BatchHeader`, then the records as they are stored.
Times are RFC 3339 in UTC, hashes lower-case hex, keys and signatures base64 (RFC 4648 section 4).
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from offline_queue.entry import Clock, Lane, Parent

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
