"""The answers of the API that are not already values of the till's own talk (terminal/pos.py)."""

from typing import Annotated, Any

import msgspec

from drivers.base import EntryMode
from offline_queue.mirror import MirrorReport
from offline_queue.wire import Order
from terminal.cards.phone_lookup import MAX_PHONE
from terminal.disk import DiskView
from terminal.inbox import ReaderStatus
from terminal.pos import BalanceView, CardView, Outcome, Text
from terminal.sync_progress import Phase, Progress


class LedgerView(msgspec.Struct, frozen=True):
    """How the ledger stands; times are RFC 3339 in UTC, `next_attempt` None while a pass runs or none is due.

    `orders` are findings about this till or its ledger, in English for the technician: what happened, what to do.
    """

    reachable: bool
    last_success: str | None
    next_attempt: str | None
    detail: str | None = None
    orders: list[Order] = []


class QueueView(msgspec.Struct, frozen=True):
    """`queued` entries that the ledger has not taken, the oldest of them `oldest_age_s` seconds old."""

    queued: int
    oldest_age_s: float | None
    conflicts: int


class SyncView(msgspec.Struct, frozen=True):
    """The pass to the ledger; `progress` while entries are on their way."""

    phase: Phase
    progress: Progress | None


class Status(msgspec.Struct, frozen=True):
    """The till at a glance; `clock` says what it knows of time.

    `attention`: what somebody should look at, in English for the technician; empty when all is well.
    `tested` are the readers that a technician tests now.
    """

    terminal: str
    version: str
    ledger: LedgerView
    queue: QueueView
    readers: list[ReaderStatus]
    clock: dict[str, Any]
    tested: list[str] = []
    disk: DiskView | None = None
    mirror: MirrorReport | None = None
    sync: SyncView | None = None
    attention: list[str] = []


class CardAnswer(msgspec.Struct, frozen=True):
    """A card as the till knows it; `known`: the ledger has told of its account, now or before.

    `status` as the ledger calls it, or `unknown`; `successor` the card that is used for it. `reached`: the ledger has
    answered now.
    """

    card: CardView
    balance: BalanceView | None
    known: bool
    status: str
    successor: CardView | None
    reached: bool


class CardEventRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who says so and why; both are kept with the event."""

    operator: Text | None = None
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)] | None = None


class PhoneQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`phone` as people write it; without a country code it is one of the shop's country."""

    phone: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PHONE)]


class ReplacementRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card that takes the place of another, for ever."""

    successor: Text
    operator: Text | None = None
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)] | None = None


class Outcomes(msgspec.Struct, frozen=True):
    """Transactions, stream by stream, the oldest first; ask again with `after` = `next` while there is one."""

    entries: list[Outcome]
    next: str | None


class Due(msgspec.Struct, frozen=True):
    """How many records the pass has to send."""

    due: int


class Health(msgspec.Struct, frozen=True):
    """`ok`: the till's own thread has just answered."""

    status: str


class ReadRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Waits at most `timeout_ms` for a card that comes by one of `entry_modes` (any when empty)."""

    timeout_ms: Annotated[int, msgspec.Meta(ge=1, le=300_000)] = 30_000
    entry_modes: list[EntryMode] = []
