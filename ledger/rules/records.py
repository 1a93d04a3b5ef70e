"""What is known of a record before any rule: how it is read, what it may wait for, what its decision leaves behind."""

import hashlib
import re
from typing import Final

import msgspec

from ledger.facts.case import Decision
from ledger.facts.codes import Code
from ledger.rules.sentences import clipped
from offline_queue.entry import VERSION, Entry, Kind, State, Undecodable, decode

KEYED: Final = frozenset({Kind.EARN, Kind.REDEEM, Kind.REVERSE, Kind.CLAIM, Kind.CARD_EVENT, Kind.CORRECTION})
"""Kinds whose effect happens once per idempotency key; the others are idempotent by stream or allowance."""
ON_CARD: Final = frozenset({Kind.EARN, Kind.REDEEM, Kind.CLAIM})

MAX_NUMBER: Final = 64
"""Characters of the longest card number that may open an account; a longer one is no card's."""

NO_CLAIM: Final = frozenset(
    {
        Code.TERMINAL_UNKNOWN,
        Code.KEY_REVOKED,
        Code.SIGNATURE_BAD,
        Code.CLAIM_UNPROVEN,
        Code.DUPLICATE,
        Code.KEY_MISMATCH,
    }
)
"""Decisions that leave the idempotency key to others: a stranger cannot burn a key."""
KEYLESS: Final = NO_CLAIM - {Code.DUPLICATE, Code.KEY_MISMATCH}
"""Those of them that say nothing about who has the key; one that a person lets count all the same takes it."""
OVERDRAWING: Final = frozenset({Code.OVERDRAWN, Code.ALLOWANCE_EXCEEDED, Code.ALLOWANCE_VOID, Code.OVER_REVERSAL})
"""Flagged decisions that may leave less in an account than was promised from it."""

ESCAPE: Final = b"\\"
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""Behind an even number of backslashes: behind an odd one these are six characters of a text."""
ENTRY: Final = "entry:"
WAITS_FOR_UPGRADE: Final = "upgrade"
WAITS_FOR_REVIEW: Final = "review"
"""Until a person has decided."""

UNREAD: Final = Decision(
    State.PARKED,
    Code.UNDECODABLE,
    waits=WAITS_FOR_UPGRADE,
    detail="taken into custody as opaque bytes, not yet looked into",
)


def bounded(name: str) -> str:
    """A name from outside as the books index it: a very long one by its hash."""
    if len(name) <= MAX_NUMBER:
        return name
    return f"#{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


def waits_for_card(number: str) -> str:
    return f"card:{bounded(number)}"


def waits_for_entry(entry: str) -> str:
    return f"{ENTRY}{bounded(entry)}"


def entry_awaited(reason: str) -> str | None:
    """The id in a reason of waits_for_entry, where that is not too long to tell."""
    return reason.removeprefix(ENTRY) if reason.startswith(ENTRY) else None


def waits_for_claim(key: str) -> str:
    """A sale without a card waits for whoever has its code."""
    return f"claim:{bounded(key)}"


def waits_for_record(record: int) -> str:
    return f"record:{record}"


def waits_for_unblocking(number: str) -> str:
    return f"block:{bounded(number)}"


def plausible(number: str) -> bool:
    """Whether an account may be opened under this card number."""
    return 0 < len(number) <= MAX_NUMBER and number.isprintable()


def holds_nul(text: bytes) -> bool:
    """Whether a text in this JSON holds a NUL. No till writes one, and texts in PostgreSQL cannot hold it."""
    # One byte is found much faster than six, and hardly a record has it.
    return ESCAPE in text and _ESCAPED_NUL.search(text) is not None


def read(record: bytes) -> Entry | Decision:
    """The entry, or the decision to park what this version cannot read until a later one can."""
    if holds_nul(record):
        return Decision(State.PARKED, Code.UNDECODABLE, waits=WAITS_FOR_UPGRADE, detail="a text holds a NUL character")
    try:
        return decode(record)
    except Undecodable as error:
        code = Code.VERSION_UNKNOWN if _of_later_version(record) else Code.UNDECODABLE
        return Decision(State.PARKED, code, waits=WAITS_FOR_UPGRADE, detail=clipped(str(error)))


class _Version(msgspec.Struct):
    v: int = VERSION


_version = msgspec.json.Decoder(_Version)


def _of_later_version(record: bytes) -> bool:
    try:
        return _version.decode(record).v != VERSION
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
