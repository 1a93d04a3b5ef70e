"""Carries records to the ledger and decisions back, one request at a time.

A thin loop around the pure core: ask what is next (next_step.py), say it (requests.py), ask what the answer changes
(hearing.py, failing.py), make that durable (sync_memory.py), then tell the till. It has no thread and never waits, so
a simulation can drive it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from offline_queue.backoff import reachable_again
from offline_queue.failing import failed
from offline_queue.hearing import heard
from offline_queue.journal import AllowanceState, NotRecorded
from offline_queue.ledger_answers import LedgerError, LedgerRefused, TransientLedgerError
from offline_queue.ledger_client import Ledger
from offline_queue.next_step import begin, hasten, next_step
from offline_queue.receipts import proves
from offline_queue.requests import Identity, Speaker
from offline_queue.steps import MarkStreams, Moment, Outcome, Request, Rest, SayHello, Silence, TakeDecisions
from offline_queue.sync_memory import Hotlist, SyncMemory
from offline_queue.timepiece import Timepiece
from offline_queue.wire import BatchAnswer, Problem, StreamHead, Welcome
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import Verdict

if TYPE_CHECKING:
    from offline_queue.store import JournalReader, Store

OnSettled = Callable[[Sequence[Verdict], Sequence[Balance], int], None]
OnWelcome = Callable[[Welcome], None]


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
        self._journal, self._timepiece, self._identity = journal, timepiece, identity
        self._on_settled, self._on_welcome = on_settled, on_welcome
        self._speaker = Speaker(journal, ledger, timepiece, identity)
        self._memory = SyncMemory(store, journal, timepiece, identity, hotlist)
        self.ledger_time: str | None = None
        self.state = self._memory.recalled(self._moment(timepiece.boottime_ms()))

    def step(self) -> Exchange | Rest:
        """Says the next thing, or tells how long there is nothing to say. Never raises for the ledger's sake."""
        now_ms = self._timepiece.boottime_ms()
        waits = now_ms < self.state.backoff.next_attempt_ms
        heads = [] if waits else self._journal.waiting()
        step = next_step(self.state, heads, self._journal.cursor(), now_ms, self._memory.changes_taken(self.state))
        if isinstance(step, Rest):
            return step
        heads, rights = self._declared(step) if isinstance(step, SayHello) else (heads, [])
        request = self._timepiece.random(16).hex()
        self.state = begin(self.state, step, request, heads, rights)
        return self._exchange(step, request, heads, rights, now_ms)

    def _declared(self, hello: SayHello) -> tuple[list[StreamHead], list[str]]:
        """The streams, and the rights that are neither used nor given back."""
        heads = self._journal.streams(all=True) if hello.everything else self._journal.declared()
        rights = self._journal.allowances(AllowanceState.ASKED, AllowanceState.GRANTED)
        return heads, sorted(right.id for right in rights)

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

    def _exchange(
        self, step: Request, request: str, heads: Sequence[StreamHead], rights: Sequence[str], started_ms: int
    ) -> Exchange:
        try:
            answer = self._speaker.say(step, request, heads, rights, self.state.generation)
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
        """Durable first; only then does the new state hold and the till hear of it.

        Nothing can fail between a page of decisions and the till that hears of it: the page is never told again.
        """
        accepted = self._newly_accepted(outcome)
        before = self.state.backoff
        settled = [(self._ours(page), page) for page in outcome.effects if isinstance(page, TakeDecisions)]
        try:
            if outcome.state.backoff.failures or before.failures:
                self._memory.keep_waits(outcome.state.backoff)
            for effect in outcome.effects:
                self._memory.keep(effect, self.state.ledger_key)
        except NotRecorded as error:
            self.stumble()
            return Exchange(step, reachable, trouble=f"the journal cannot take over the ledger's answer: {error}")
        self.state = outcome.state
        for verdicts, page in settled:
            self._on_settled(verdicts, page.balances, page.cursor)
        return Exchange(step, reachable, accepted, trouble)

    def _ours(self, page: TakeDecisions) -> list[Verdict]:
        """The feed is the terminal's: after its journal was lost it tells of streams that nobody here knows."""
        return [verdict for verdict in page.verdicts if self._journal.holds(verdict.stream)]

    def _newly_accepted(self, outcome: Outcome) -> int:
        heads = self.state.outstanding.heads if self.state.outstanding else {}
        marks = [mark for effect in outcome.effects if isinstance(effect, MarkStreams) for mark in effect.marks.items()]
        return sum(max(0, mark.accepted - heads[stream].accepted) for stream, mark in marks)

    def _failed(self, cause: Silence | Problem, started_ms: int) -> Outcome:
        return failed(self.state, cause, self._moment(started_ms))

    def _moment(self, started_ms: int) -> Moment:
        now_ms = self._timepiece.boottime_ms()
        chance = int.from_bytes(self._timepiece.random(6), "big") / 2**48
        return Moment(now_ms, chance, now_ms - started_ms)


def _silence(error: LedgerError) -> Silence:
    if isinstance(error, TransientLedgerError):
        return Silence(error.reached, error.retry_after_s)
    return Silence(reached=True)
