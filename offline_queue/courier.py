"""Carries records to the ledger and decisions back, one request at a time.

A thin loop around offline_queue/streams.py: ask the core what is next, say it, make the consequences durable,
then tell the till. It has no thread and never waits, so a simulation can drive it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from offline_queue.backoff import Backoff, Kept, reachable_again, resumed
from offline_queue.entry import Clock
from offline_queue.journal import AllowanceState, NotRecorded
from offline_queue.journal_marks import LEDGER_KEY
from offline_queue.ledger_answers import LedgerError, LedgerRefused, TransientLedgerError
from offline_queue.ledger_client import Ledger
from offline_queue.receipts import Receipt, proves
from offline_queue.steps import (
    Answer,
    Effect,
    FetchChanges,
    FetchDecisions,
    MarkStreams,
    Moment,
    Outcome,
    ParkRecord,
    PinLedgerKey,
    Request,
    Rest,
    SayHello,
    SendRecords,
    Silence,
    SyncState,
    TakeChanges,
    TakeDecisions,
)
from offline_queue.streams import begin, failed, hasten, heard, next_step
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.wire import (
    MAX_BATCH_BYTES,
    OLDEST_PROTOCOL,
    PROTOCOL,
    Balance,
    BatchAnswer,
    BatchHeader,
    Hello,
    Park,
    Problem,
    StreamHead,
    Verdict,
    Welcome,
)

if TYPE_CHECKING:
    from offline_queue.store import JournalReader, Store

DECISIONS_PER_PAGE: Final = 500
CHANGES_PER_PAGE: Final = 500
BATCH_ROOM: Final = MAX_BATCH_BYTES - 4096
"""Bytes of records in a batch: what the ledger takes, less the header and the line feeds."""
BACKOFF_FACT: Final = "sync.backoff"
GENERATION_FACT: Final = "sync.generation"

OnSettled = Callable[[Sequence[Verdict], Sequence[Balance], int], None]
OnWelcome = Callable[[Welcome], None]


class Hotlist(Protocol):
    """Where the till keeps what the ledger tells of cards and keys. Called by the courier's thread alone."""

    def taken(self, generation: str | None) -> int:
        """The cursor of the feed of changes under this generation; 0 where nothing of it was taken over yet."""

    def take(self, page: TakeChanges) -> None:
        """The page and its cursor, both or neither; a page that does not follow the cursor changes nothing."""


class Identity(msgspec.Struct, frozen=True):
    """Who speaks: the enrolled name, the public key (base64) and the version of the software.

    `ledger_key` (base64) is the ledger's where the shop has named it; `protocols` the oldest and newest version spoken.
    """

    terminal: str
    public_key: str
    software: str
    ledger_key: str | None = None
    protocols: tuple[int, int] = (OLDEST_PROTOCOL, PROTOCOL)


class Exchange(msgspec.Struct, frozen=True):
    """What came of one request: `accepted` records newly in custody; `trouble`, for people, when it failed.

    `reachable`: a ledger that speaks with this till was heard.
    """

    step: Request
    reachable: bool
    accepted: int = 0
    trouble: str | None = None


class Courier:
    """Used by one thread; `journal` is that thread's own reader.

    `on_settled` is called after a page of decisions is durable, `on_welcome` at every welcome that counts. Without a
    `hotlist` no changes are asked for.
    """

    def __init__(
        self,
        store: "Store",
        journal: "JournalReader",
        ledger: Ledger,
        timepiece: Timepiece,
        identity: Identity,
        on_settled: OnSettled,
        hotlist: Hotlist | None = None,
        on_welcome: OnWelcome = lambda _: None,
    ) -> None:
        self._hotlist = hotlist
        self._store, self._journal, self._ledger = store, journal, ledger
        self._timepiece, self._identity, self._on_settled = timepiece, identity, on_settled
        self._on_welcome = on_welcome
        self.ledger_time: str | None = None
        self.state = SyncState(
            generation=journal.recall(GENERATION_FACT),
            backoff=self._remembered_backoff(),
            protocols=identity.protocols,
            ledger_key=identity.ledger_key or journal.recall(LEDGER_KEY),
        )

    def step(self) -> Exchange | Rest:
        """Says the next thing, or tells how long there is nothing to say. Never raises for the ledger's sake."""
        now_ms = self._timepiece.boottime_ms()
        waits = now_ms < self.state.backoff.next_attempt_ms
        heads = [] if waits else self._journal.streams()
        step = next_step(self.state, heads, self._journal.cursor(), now_ms, self._changes_taken())
        if isinstance(step, Rest):
            return step
        if isinstance(step, SayHello):
            heads = self._journal.streams(all=True) if step.everything else self._journal.declared()
        request, rights = self._timepiece.random(16).hex(), self._rights() if isinstance(step, SayHello) else []
        self.state = begin(self.state, step, request, heads, rights)
        return self._exchange(step, request, heads, now_ms)

    def _changes_taken(self) -> int:
        return self.state.changes_end if self._hotlist is None else self._hotlist.taken(self.state.generation)

    def hasten(self) -> None:
        """A person asks for a pass now."""
        self.state = hasten(self.state, self._timepiece.boottime_ms())

    def heard_elsewhere(self) -> None:
        """The ledger has answered another part of the till."""
        moment = self._moment(self._timepiece.boottime_ms())
        backoff = reachable_again(self.state.backoff, moment.now_ms, moment.chance)
        self.state = msgspec.structs.replace(self.state, backoff=backoff)

    def stumble(self) -> None:
        """Something on our own side went wrong in the middle of a request: it is tried again later."""
        self.state = self._failed(Silence(reached=False), self._timepiece.boottime_ms()).state

    def _exchange(self, step: Request, request: str, heads: Sequence[StreamHead], started_ms: int) -> Exchange:
        try:
            answer = self._say(step, request, heads)
        except LedgerError as error:
            problem = error.problem if isinstance(error, LedgerRefused) else None
            outcome = self._failed(problem or _silence(error), started_ms)
            return self._concluded(step, outcome, str(error), reachable=problem is not None and not outcome.state.alarm)
        if isinstance(answer, BatchAnswer) and not self._proven(answer):
            outcome = self._failed(Silence(reached=True), started_ms)
            return self._concluded(step, outcome, "the ledger's receipt does not prove its custody", reachable=False)
        outcome = heard(self.state, answer, self._moment(started_ms))
        if isinstance(answer, Welcome) and outcome.ok:
            self.ledger_time = answer.time
            self._on_welcome(answer)
        # A welcome under a new generation counts only once every stream was declared; that is no trouble.
        fine = outcome.ok or (isinstance(answer, Welcome) and outcome.state.everything)
        trouble = None if fine else "the ledger's answer does not belong to what was asked"
        return self._concluded(step, outcome, trouble, reachable=fine)

    def _proven(self, answer: BatchAnswer) -> bool:
        """Signed by the ledger's key, and over the chain that we hold; beyond our own end we cannot tell."""
        if not proves(answer, self._identity.terminal, self.state.ledger_key):
            return False
        try:
            return (
                answer.custody is None
                or self._journal.hash_at(answer.stream, answer.accepted).hex() == answer.custody.head
            )
        except LookupError:
            return True

    def _concluded(self, step: Request, outcome: Outcome, trouble: str | None, *, reachable: bool) -> Exchange:
        """Durable first; only then does the new state hold and the till hear of it."""
        accepted = self._newly_accepted(outcome)
        before = self.state.backoff
        try:
            for effect in outcome.effects:
                self._keep(effect)
            if outcome.state.backoff.failures or before.failures:
                self._remember_backoff(outcome)
        except NotRecorded as error:
            self.stumble()
            return Exchange(step, reachable, trouble=f"the journal cannot take over the ledger's answer: {error}")
        self.state = outcome.state
        for effect in outcome.effects:
            if isinstance(effect, TakeDecisions):
                # The feed is the terminal's: after its journal was lost it tells of streams that nobody here knows.
                ours = [verdict for verdict in effect.verdicts if self._journal.holds(verdict.stream)]
                self._on_settled(ours, effect.balances, effect.cursor)
        return Exchange(step, reachable, accepted, trouble)

    def _newly_accepted(self, outcome: Outcome) -> int:
        heads = self.state.outstanding.heads if self.state.outstanding else {}
        marks = [mark for effect in outcome.effects if isinstance(effect, MarkStreams) for mark in effect.marks.items()]
        return sum(max(0, mark.accepted - heads[stream].accepted) for stream, mark in marks)

    def _keep(self, effect: Effect) -> None:
        if isinstance(effect, TakeDecisions):
            self._store.settle(effect.verdicts, effect.cursor, effect.generation)
            return
        if isinstance(effect, TakeChanges):
            if self._hotlist is not None:
                self._hotlist.take(effect)
            return
        if isinstance(effect, PinLedgerKey):
            if self._journal.recall(LEDGER_KEY) != effect.key:
                self._store.remember(LEDGER_KEY, effect.key)
            return
        self._store.mark(effect.marks, effect.generation, self._receipts(effect))
        if effect.renewed:
            # Remembered last: after a crash in between, everything is declared and marked once more.
            self._store.remember(GENERATION_FACT, effect.generation)

    def _receipts(self, effect: MarkStreams) -> dict[str, Receipt]:
        """Those that were checked: without a known key nothing was."""
        key, name = self.state.ledger_key, self._identity.terminal
        if key is None:
            return {}
        return {uid: Receipt(custody, name, key, effect.generation) for uid, custody in effect.receipts.items()}

    def _say(self, step: Request, request: str, heads: Sequence[StreamHead]) -> Answer:
        match step:
            case SayHello():
                rights = self.state.outstanding.rights if self.state.outstanding else ()
                return self._ledger.hello(self._hello(request, heads, sorted(rights)))
            case SendRecords(stream, first, limit):
                return self._send(request, stream, first, limit)
            case ParkRecord(stream, seq):
                return self._park(request, stream, seq)
            case FetchDecisions(after):
                return self._ledger.decisions(request, after, DECISIONS_PER_PAGE)
            case FetchChanges(after):
                return self._ledger.changes(request, after, CHANGES_PER_PAGE)

    def _rights(self) -> list[str]:
        """Those that are neither used nor given back."""
        return [right.id for right in self._journal.allowances(AllowanceState.ASKED, AllowanceState.GRANTED)]

    def _hello(self, request: str, heads: Sequence[StreamHead], rights: list[str]) -> Hello:
        return Hello(
            request=request,
            terminal=self._identity.terminal,
            public_key=self._identity.public_key,
            protocol_min=self._identity.protocols[0],
            protocol_max=self._identity.protocols[1],
            software=self._identity.software,
            streams=list(heads),
            time=rfc3339(now := self._timepiece.unix_ms()),
            generation=self.state.generation,
            allowances=rights,
            clock=Clock(self._timepiece.boot_id, self._timepiece.boottime_ms(), rfc3339(now)),
        )

    def _send(self, request: str, stream: str, first: int, limit: int) -> BatchAnswer:
        records = self._records(stream, first, limit)
        last = first + len(records) - 1
        head = self._journal.hash_at(stream, last).hex()
        header = BatchHeader(request, stream, first, len(records), head, self.state.generation or "")
        return self._ledger.send(header, records)

    def _park(self, request: str, stream: str, seq: int) -> BatchAnswer:
        from base64 import b64encode

        (record,) = self._records(stream, seq, 1)
        park = Park(request, stream, seq, b64encode(record).decode(), self.state.generation or "")
        return self._ledger.park(park)

    def _records(self, stream: str, first: int, limit: int) -> list[bytes]:
        records = self._journal.records(stream, first, limit, BATCH_ROOM)
        if not records:
            raise TransientLedgerError(
                f"the journal lacks record {first} of stream {stream}; run `tilld queue verify`"
            )
        return records

    def _failed(self, cause: Silence | Problem, started_ms: int) -> Outcome:
        return failed(self.state, cause, self._moment(started_ms))

    def _moment(self, started_ms: int) -> Moment:
        now_ms = self._timepiece.boottime_ms()
        chance = int.from_bytes(self._timepiece.random(6), "big") / 2**48
        return Moment(now_ms, chance, now_ms - started_ms)

    def _remember_backoff(self, outcome: Outcome) -> None:
        kept = Kept(self._timepiece.boot_id, outcome.state.backoff, self._timepiece.boottime_ms())
        self._store.remember(BACKOFF_FACT, msgspec.json.encode(kept).decode())

    def _remembered_backoff(self) -> Backoff:
        fact = self._journal.recall(BACKOFF_FACT)
        moment = self._moment(self._timepiece.boottime_ms())
        try:
            kept = msgspec.json.decode(fact, type=Kept) if fact else None
        except msgspec.DecodeError:
            kept = None  # Written by another version: its waits are not worth more than a fresh start.
        return resumed(kept, self._timepiece.boot_id, moment.now_ms, moment.chance)


def _silence(error: LedgerError) -> Silence:
    if isinstance(error, TransientLedgerError):
        return Silence(error.reached, error.retry_after_s)
    return Silence(reached=True)
