"""The events of the till and the bounded queue they travel in.

Everything that happens - a card, a sale, an answer of the ledger - becomes one of these values and is posted
here; one thread takes them out and changes the till's state (terminal/till.py).
"""

import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from drivers.base import CardRead, CardUnreadable, NoteWritten, ReaderState
from offline_queue.entry import CardEvent, Entry
from offline_queue.sync_report import SyncReport
from offline_queue.wire_accounts import Account, AllowanceAnswer, Balance
from offline_queue.wire_feeds import Verdict
from terminal.disputes.shapes import ResolutionRequest
from terminal.pos import CardNumber, Promise, ReadAnswer, TransactionRequest
from terminal.trial.talk import TrialAsked, TrialDue

CAPACITY: Final = 1000
"""Far more than a till's minute of work; when it is full the POS hears `busy` instead of waiting."""


class InboxFull(Exception):
    """The till is not keeping up; nothing was taken."""


@dataclass(frozen=True)
class Answered:
    """A transaction's answer; `replayed` when the key was known and the first answer is given again."""

    body: bytes
    replayed: bool


Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True)
class Counters:
    """What a reader has done in its life at this till, kept over restarts (after UnifiedPOS's device statistics).

    `failed` reads broke off and the card may be presented again; `unreadable` cards have something wrong;
    `duplicate` is the same card again within the debounce time; `restarts` are of its process; `hours` it was ready.
    """

    good: Count = 0
    failed: Count = 0
    unreadable: Count = 0
    duplicate: Count = 0
    restarts: Count = 0
    hours: Annotated[float, msgspec.Meta(ge=0)] = 0.0


@dataclass(frozen=True)
class ReaderStatus:
    """A reader as the technician sees it; `since` is RFC 3339 in UTC, `remedy` the command or act that mends it."""

    name: str
    driver: str
    status: ReaderState
    since: str
    detail: str
    remedy: str | None = None
    pid: int | None = None
    counters: Counters = Counters()


@dataclass(frozen=True)
class CardPresented:
    """`at_ms`, where it is told: when the reader's word came, in milliseconds since boot."""

    reader: str
    read: CardRead
    at_ms: int | None = None


@dataclass(frozen=True)
class CardFailed:
    """`at_ms` as in CardPresented."""

    reader: str
    failure: CardUnreadable
    at_ms: int | None = None


@dataclass(frozen=True)
class NoteTold:
    """What became of a note that a card should carry."""

    reader: str
    written: NoteWritten


@dataclass(frozen=True)
class ReaderChanged:
    status: ReaderStatus


@dataclass(frozen=True)
class TransactionAsked:
    """`reply` becomes Answered once durable, or raises Refusal."""

    request: TransactionRequest
    key: str
    reply: "Future[Answered]"


@dataclass(frozen=True)
class CardEventAsked:
    """A person says what has happened to a card; `reply` becomes Answered once durable, or raises Refusal.

    Without a `key` each asking is an event of its own.
    """

    number: str
    happened: CardEvent
    reply: "Future[Answered]"
    operator: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class ClaimAsked:
    """A claim code and the card for its points. `reply` becomes Answered once durable, or raises Refusal."""

    code: str
    card: CardNumber
    reply: "Future[Answered]"


@dataclass(frozen=True)
class ResolutionAsked:
    """A person's decision on the entry with the id `conflict`; without a `key` it is its own.

    `reply` becomes Answered once durable, or raises Refusal.
    """

    conflict: str
    request: ResolutionRequest
    key: str | None
    reply: "Future[Answered]"


@dataclass(frozen=True)
class Recorded:
    """The journal has answered for an entry: durable at `stream`, `seq`, replayed, or `error`.

    `promise` tells by what right a redemption was promised.
    """

    entry: Entry
    replayed: bool
    error: BaseException | None = None
    stream: str = ""
    seq: int = 0
    promise: Promise | None = None


@dataclass(frozen=True)
class AllowanceAnswered:
    """The ledger's word on a right; `answer` is None when it did not answer in time."""

    allowance: str
    answer: AllowanceAnswer | None


@dataclass(frozen=True)
class Welcomed:
    """The ledger has answered a hello at its time `time`: which rights hold, and whether it promises nothing now."""

    time: str
    rights: Mapping[str, bool]
    recovering: bool = False


@dataclass(frozen=True)
class AccountHeard:
    """`account` is None when the ledger did not answer; `known` is False when it has no such card."""

    number: str
    account: Account | None
    known: bool = True


@dataclass(frozen=True)
class Settled:
    """The journal has taken over a page of the ledger's decisions."""

    verdicts: Sequence[Verdict]
    balances: Sequence[Balance]
    cursor: int


@dataclass(frozen=True)
class ReadAsked:
    """A POS waits for the next card. `reply` becomes ReadAnswer or raises Refusal."""

    entry_modes: frozenset[str]
    reply: "Future[ReadAnswer]"


@dataclass(frozen=True)
class ReadAbandoned:
    """The POS waits no longer: `code` is `no_card` (time is up) or `aborted`. No `reply` means whoever waits."""

    code: str
    reply: "Future[ReadAnswer] | None" = None


@dataclass(frozen=True)
class Asked:
    """A question about the till as it stands: `what` names it, `argument` its subject (terminal/till.py)."""

    what: str
    argument: str
    reply: "Future[Any]"


@dataclass(frozen=True)
class Stop:
    """The last event: the till finishes what it has accepted."""


Event = (
    CardPresented
    | CardFailed
    | NoteTold
    | ReaderChanged
    | TransactionAsked
    | CardEventAsked
    | ClaimAsked
    | ResolutionAsked
    | Recorded
    | AllowanceAnswered
    | Welcomed
    | AccountHeard
    | Settled
    | SyncReport
    | ReadAsked
    | ReadAbandoned
    | Asked
    | TrialAsked
    | TrialDue
    | Stop
)


class Inbox:
    """A bounded queue of events, many posters and one taker."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: queue.SimpleQueue[tuple[Event, bool]] = queue.SimpleQueue()
        self._room = threading.Semaphore(capacity)

    def post(self, event: Event) -> None:
        """Waits for room: for parts of the till itself, whose events must not be lost."""
        self._room.acquire()
        self._events.put((event, True))

    def offer(self, event: Event) -> None:
        """Raises InboxFull at once: for the outside, which can be told to come again."""
        if not self._room.acquire(blocking=False):
            raise InboxFull
        self._events.put((event, True))

    def report(self, event: Event) -> None:
        """Never waits: for consequences of what was taken before, so there are no more of them than of causes.

        The journal's writer reports from its own thread; were it to wait for the till, the two could wait for
        each other.
        """
        self._events.put((event, False))

    def take(self, timeout_s: float | None = None) -> Event | None:
        """The next event, or None after `timeout_s`."""
        try:
            event, counted = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if counted:
            self._room.release()
        return event
