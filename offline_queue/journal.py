"""What is said to the journal and what it says back: values and errors, no SQL.

A record's place in the journal is (stream, seq). Times are RFC 3339 in UTC, hashes 32 bytes.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from offline_queue.entry import Entry, State
from offline_queue.wire_feeds import Verdict


class JournalUnusable(Exception):
    """This file cannot be the journal, and it has been left as it was.

    `what` happened, its `meaning` for the points, and the `remedy`, a command to type.
    """

    def __init__(self, path: Path, what: str, meaning: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}. {meaning} {remedy}")
        self.path = path
        self.what = what
        self.meaning = meaning
        self.remedy = remedy


class NotRecorded(Exception):
    """The journal could not make this durable: nothing of it is recorded, and trying again later is right.

    `why` is what happened, alone; the whole text says what it means and what to do, too.
    """

    def __init__(self, why: str, meaning: str = "Nothing was recorded.") -> None:
        super().__init__(f"{why}. {meaning}")
        self.why = why


class KeyReused(Exception):
    """The idempotency key belongs to another request; `id` is that of the entry it made."""

    def __init__(self, entry_id: str) -> None:
        super().__init__(f"this idempotency key was already used for another request (transaction {entry_id})")
        self.id = entry_id


class RightsRefused(Exception):
    """The entry asks for more than it has a right to.

    `code` is `reversed_twice`, `over_reversal`, `allowance_not_granted`, `allowance_used` or
    `allowance_exceeded`; `detail` says it in a sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Origin(msgspec.Struct, frozen=True):
    """Who opens the journal, as its genesis records will say."""

    terminal: str
    machine_id: str
    software: str


class Appended(msgspec.Struct, frozen=True):
    """A durable entry. `reply` is the first answer given for its key, `replayed` when this was not the first time."""

    stream: str
    seq: int
    reply: bytes
    replayed: bool


class AllowanceState(StrEnum):
    """Where a right to redeem stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    CONSUMED = "consumed"
    RELEASED = "released"


ALLOWANCE_MOVES: Final = {
    AllowanceState.ASKED: frozenset({AllowanceState.GRANTED, AllowanceState.REFUSED, AllowanceState.RELEASED}),
    AllowanceState.GRANTED: frozenset({AllowanceState.CONSUMED, AllowanceState.RELEASED}),
    AllowanceState.REFUSED: frozenset[AllowanceState](),
    AllowanceState.CONSUMED: frozenset[AllowanceState](),
    AllowanceState.RELEASED: frozenset[AllowanceState](),
}


AHEAD: Final = ""
"""The key of a right that was asked for ahead of its use, on behalf of no request."""


class Allowance(msgspec.Struct, frozen=True):
    """A right to redeem `points` of `card`, asked for in `stream` on behalf of the request with `key`.

    `points` are those asked for until it is granted, then those granted.
    """

    id: str
    key: str
    card: str
    points: int
    stream: str
    state: AllowanceState
    asked_at: str


class Found(msgspec.Struct, frozen=True):
    """An entry of the journal, its bytes, and where it stands."""

    entry: Entry
    record: bytes
    stream: str
    seq: int
    state: State
    verdict: Verdict | None
    reply: bytes
    digest: bytes


class Totals(msgspec.Struct, frozen=True):
    """How much waits. Genesis and seal records count in `records` only.

    `queued` entries are not in the ledger's custody yet, `accepted_undecided` are and wait for its decision.
    `conflicts` are those that people must look at.
    """

    queued: int
    accepted_undecided: int
    conflicts: int
    oldest_unaccepted_at: str | None
    records: int


class Verification(msgspec.Struct, frozen=True):
    """The result of recomputing every chain; `first_bad` is (stream, seq, why).

    `receipts`: so many streams are signed for by the ledger, and the signatures hold.
    """

    records: int
    ok: bool
    first_bad: tuple[str, int, str] | None
    receipts: int = 0
