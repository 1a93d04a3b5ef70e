"""The entry: one earned, redeemed or reversed number of points, as the till wrote it and as it travels.

The bytes of an entry are made once, before they are durable, and never again: what is stored is what is
sent, hashed and signed. They are one line of JSON (RFC 8259) without a raw line feed, so a batch is JSON
Lines and a stranger can recompute the chain with a SHA-256 tool alone.
"""

import hashlib
import uuid
from enum import StrEnum
from typing import Annotated, Final

import msgspec

VERSION: Final = 1
GENESIS_HASH: Final = bytes(32)
"""The hash before the first record of a stream."""

MAX_POINTS: Final = 1_000_000_000
"""More than any programme grants at once; keeps sums of a billion entries inside 64 bits."""
MAX_ENTRY_BYTES: Final = 8192
MAX_AUTHOR: Final = 64
"""Characters of the name of whoever corrects; an operator's may be longer."""


class Undecodable(ValueError):
    """These bytes are no entry that this version knows."""


class Kind(StrEnum):
    """What a record says. `genesis` and `seal` open and close a stream; the others move points or rights.

    A `claim` credits a sale by its signed claim code; a `correction` is a person's word on a disputed entry, or the
    office's own; a `card_event` changes what a card is.
    """

    GENESIS = "genesis"
    SEAL = "seal"
    EARN = "earn"
    REDEEM = "redeem"
    REVERSE = "reverse"
    RELEASE = "release"
    CLAIM = "claim"
    CORRECTION = "correction"
    CARD_EVENT = "card_event"


class Lane(StrEnum):
    """Each lane is a stream of its own, so that a backlog of earns never delays a redemption."""

    URGENT = "urgent"
    BULK = "bulk"


LANE_OF: Final = {
    Kind.EARN: Lane.BULK,
    Kind.REDEEM: Lane.URGENT,
    Kind.REVERSE: Lane.URGENT,
    Kind.RELEASE: Lane.URGENT,
    Kind.CLAIM: Lane.BULK,
    Kind.CORRECTION: Lane.URGENT,
    Kind.CARD_EVENT: Lane.URGENT,
}


class State(StrEnum):
    """Where an entry stands. `queued` and `accepted` follow from the ledger's mark, the others from its last decision.

        queued ──► accepted ──► posted, parked, conflict or resolved
        posted ──► conflict (what it rests on was found wrong), resolved
        parked ──► posted, conflict, resolved
        conflict ──► resolved ──► resolved (a later word may settle it otherwise)

    A ledger that was restored from a backup has forgotten: from anywhere an entry may be queued again.
    """

    QUEUED = "queued"
    ACCEPTED = "accepted"
    POSTED = "posted"
    PARKED = "parked"
    CONFLICT = "conflict"
    RESOLVED = "resolved"


class Amount(msgspec.Struct, frozen=True, gc=False):
    """Money: `value` in minor units (cents), `currency` after ISO 4217."""

    value: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class CardProof(msgspec.Struct, frozen=True, gc=False):
    """What a card proved of itself when it was shown: `counter` grows with each presentation of `subject`, a digest of
    which chip or code it is. Entries of one presentation carry the same.
    """

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    counter: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Card(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The card as the till knew it. `technology` and `entry_mode` are those of the drivers (drivers/base.py).

    `wear`, 0 to 100: how hard the card has become to read at this till; None where nothing tells.
    """

    number: str
    technology: str | None = None
    entry_mode: str | None = None
    wear: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    proof: CardProof | None = None


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The POS's receipt; `issued_at` is an RFC 3339 time by the POS's clock."""

    number: str
    store: str | None = None
    issued_at: str | None = None


class Resolution(StrEnum):
    """A person's word on a disputed entry: it counts as asked, or it does not count at all."""

    HONOUR = "honour"
    REFUSE = "refuse"


class Correction(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a correction corrects: the entry with the id `of`, by the word of `author`, who says why in `reason`.

    `points` is the effect that the entry shall have had in all, with its sign; None: as asked with `honour`, 0 with
    `refuse`. The office's own corrections (points that expired, a merge) name no resolution, only
    their effect.
    """

    author: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_AUTHOR)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    of: str | None = None
    resolution: Resolution | None = None
    points: Annotated[int, msgspec.Meta(ge=-MAX_POINTS, le=MAX_POINTS)] | None = None


class Happening(StrEnum):
    """What can happen to a card."""

    ACTIVATE = "activate"
    BLOCK = "block"
    UNBLOCK = "unblock"
    REPLACE = "replace"
    MERGE = "merge"


class CardEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What happened to the entry's card; `successor` replaces it, or is the card whose account takes this one's in."""

    happening: Happening
    successor: str | None = None
    reason: Annotated[str, msgspec.Meta(max_length=300)] | None = None


class Claim(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The sale that a claim credits: of which `terminal`, which entry `id`, and the `code` that proves it (base45)."""

    terminal: str
    id: str
    code: Annotated[str, msgspec.Meta(max_length=1024)]


class Clock(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the till knew of time when it wrote: enough to place the entry although its wall clock is wrong.

    `boot_id` is Linux's random id of this boot, `monotonic_ms` CLOCK_BOOTTIME, `wall` RFC 3339 in UTC,
    `ledger_time` the last time heard from the ledger.
    """

    boot_id: str
    monotonic_ms: int
    wall: str
    ledger_time: str | None = None


class Parent(msgspec.Struct, frozen=True, gc=False):
    """The record that a new stream follows: parents form a tree in which a fork is visible."""

    stream: str
    seq: int
    hash: str


class Genesis(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the first record of a stream says of who opened it; the chain binds all that follow to it."""

    stream: str
    lane: Lane
    machine_id: str
    software: str
    protocol: int
    parent: Parent | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One record. `points` is never negative: `kind` tells the direction.

    `id` is a UUIDv7 (RFC 9562 section 5.7), `key` the idempotency key of the POS, `reverses` the id of the
    original, `allowance` the id of the right that a redemption consumes or a release gives back, `rule` the
    `id@version` that computed the points, `hotlist` the cursor of the ledger's changes that the till had taken over
    when it wrote. An entry without `v` is of version 1, for ever: later ones say theirs.
    """

    id: str
    key: str
    kind: Kind
    terminal: str
    business_day: str
    occurred_at: str
    clock: Clock
    v: int = 1
    points: Annotated[int, msgspec.Meta(ge=0, le=MAX_POINTS)] = 0
    card: Card | None = None
    amount: Amount | None = None
    receipt: Receipt | None = None
    rule: str | None = None
    reverses: str | None = None
    allowance: str | None = None
    operator: str | None = None
    hotlist: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] | None = None
    correction: Correction | None = None
    event: CardEvent | None = None
    claim: Claim | None = None
    genesis: Genesis | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """One line of JSON without its line feed."""
    return _encoder.encode(entry)


def decode(record: bytes) -> Entry:
    """Raises Undecodable for anything but an entry of a version we know."""
    if len(record) > MAX_ENTRY_BYTES:
        raise Undecodable(f"{len(record)} bytes, more than the {MAX_ENTRY_BYTES} an entry may have")
    try:
        entry = _decoder.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(str(error)) from error
    if entry.v != VERSION:
        raise Undecodable(f"version {entry.v}, known is {VERSION}")
    return entry


def chain(previous: bytes, record: bytes) -> bytes:
    """h(n) = SHA-256(h(n-1) || bytes(n)); 32 bytes."""
    return hashlib.sha256(previous + record).digest()


def uuid7(unix_ms: int, randomness: bytes) -> str:
    """A UUIDv7 after RFC 9562 section 5.7 from a time in milliseconds and 10 random bytes."""
    high = (unix_ms & 0xFFFF_FFFF_FFFF) << 80
    low = int.from_bytes(randomness, "big")
    value = high | low & ~(0xF << 76) & ~(0x3 << 62) & ((1 << 80) - 1)
    return str(uuid.UUID(int=value | 0x7 << 76 | 0x2 << 62))


def masked(number: str) -> str:
    """A card number as people and logs may see it: `•••• 0017`."""
    return f"•••• {number[-4:]}" if len(number) > 4 else "••••"
