"""The shapes of the protocol core: what a till can do next, what it remembers, what an answer brings about.

Values only; next_step.py, hearing.py and failing.py hold the rules over them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from offline_queue.backoff import Backoff
from offline_queue.wire import OLDEST_PROTOCOL, PROTOCOL, BatchAnswer, Custody, Marks, Order, StreamHead, Welcome
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Change, Changes, Decisions, Verdict

FIRST_BATCH: Final = 100


class SayHello(msgspec.Struct, frozen=True):
    """`everything`: with every stream ever opened, for a ledger that may have forgotten some."""

    everything: bool


class SendRecords(msgspec.Struct, frozen=True):
    """At most `limit` records of a stream from `first` on."""

    stream: str
    first: int
    limit: int


class ParkRecord(msgspec.Struct, frozen=True):
    """One record that no batch could carry, as opaque bytes."""

    stream: str
    seq: int


class FetchDecisions(msgspec.Struct, frozen=True):
    after: int


class FetchChanges(msgspec.Struct, frozen=True):
    after: int


class Rest(msgspec.Struct, frozen=True):
    """Nothing to say before `until_ms`."""

    until_ms: int


Request = SayHello | SendRecords | ParkRecord | FetchDecisions | FetchChanges
Step = Request | Rest
Answer = Welcome | BatchAnswer | Decisions | Changes


class Silence(msgspec.Struct, frozen=True):
    """No answer that counts. `reached` is False when nobody has looked at the request, so no record is to blame."""

    reached: bool
    retry_after_s: float | None = None

    @property
    def turned_away(self) -> bool:
        """A busy ledger named a time; what it told before still holds."""
        return not self.reached and self.retry_after_s is not None


class MarkStreams(msgspec.Struct, frozen=True):
    """Effect: what the ledger holds. `renewed`: under a new generation, in which marks may be lower than before
    and the feed of decisions starts again from its first."""

    marks: Mapping[str, Marks]
    generation: str
    renewed: bool = False
    receipts: Mapping[str, Custody] = {}


class PinLedgerKey(msgspec.Struct, frozen=True):
    """Effect: from now on only answers that this key (base64, Ed25519) has signed for are custody."""

    key: str


class TakeDecisions(msgspec.Struct, frozen=True):
    """Effect: a page of the feed and its cursor, to be durable together before anyone hears of it."""

    verdicts: Sequence[Verdict]
    balances: Sequence[Balance]
    cursor: int
    generation: str


class TakeChanges(msgspec.Struct, frozen=True):
    """Effect: a page of the feed of changes, that of those `after` so many, and its cursor: to be kept together.

    `more` are to come. Under a generation that was not heard of before the feed is another one and begins at 0.
    """

    after: int
    changes: Sequence[Change]
    cursor: int
    generation: str
    more: bool


Effect = MarkStreams | PinLedgerKey | TakeDecisions | TakeChanges


class Moment(msgspec.Struct, frozen=True):
    """Now, in ms since boot; a `chance` in [0, 1); and how long the request `took_ms`."""

    now_ms: int
    chance: float
    took_ms: int = 0


class Outstanding(msgspec.Struct, frozen=True):
    """The one request in flight, the heads of the streams that we held when it left, and the rights it declared."""

    request: str
    step: Request
    heads: Mapping[str, StreamHead]
    rights: frozenset[str] = frozenset()


class Suspect(msgspec.Struct, frozen=True):
    """The batch that failed last, `failures` times in a row, although the ledger had just answered a hello.

    One record that is left `alone` is parked; of its failures the first says all, and is the only one counted.
    """

    stream: str
    first: int
    failures: int
    alone: bool = False


class SyncState(msgspec.Struct, frozen=True):
    """All that the protocol remembers between two requests.

    `rewinds` are the records that the ledger waits for although it had accepted them in this generation. A stream is
    `astray` where they did not follow what it holds: a hello tells how far that goes and not whose it is, so it ends no
    such rewind.
    `alarm` is the problem code that stopped us; only a welcome clears it. `owed`: the ledger could not tell of all our
    rights yet; it may when it holds everything, so then hello is said `again`. `changes_end` is the number of the
    ledger's last change, and `changes_troubled` while asking for changes fails: they wait then until nothing else does.
    `protocols` is the range that we speak; `ledger_key` the key that signs receipts, once it is known. `orders` are
    what the ledger has found out about this till, `findings` what the till has found out about the ledger.
    """

    generation: str | None = None
    greeted: bool = False
    everything: bool = False
    hello_due_ms: int = 0
    feed_due: bool = False
    batches_since_feed: int = 0
    batch: int = FIRST_BATCH
    backoff: Backoff = Backoff()
    suspect: Suspect | None = None
    rewinds: Mapping[str, int] = {}
    astray: frozenset[str] = frozenset()
    outstanding: Outstanding | None = None
    alarm: str | None = None
    owed: bool = False
    again: bool = False
    changes_end: int = 0
    changes_troubled: bool = False
    protocols: tuple[int, int] = (OLDEST_PROTOCOL, PROTOCOL)
    ledger_key: str | None = None
    orders: tuple[Order, ...] = ()
    findings: tuple[Order, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """The state after an answer or a failure, and what must be durable before it holds. `ok`: an answer counted."""

    state: SyncState
    effects: tuple[Effect, ...] = ()
    ok: bool = False
