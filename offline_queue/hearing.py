"""What an answer of the ledger changes: the half of the protocol's core that hears.

Pure, as next_step.py is; what must be written is returned as an effect.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from offline_queue.backoff import Backoff, after_success
from offline_queue.failing import failed
from offline_queue.findings import about, unfit
from offline_queue.next_step import first_wanted
from offline_queue.steps import (
    Answer,
    Effect,
    FetchChanges,
    FetchDecisions,
    MarkStreams,
    Moment,
    Outcome,
    Outstanding,
    ParkRecord,
    PinLedgerKey,
    SayHello,
    SendRecords,
    Silence,
    SyncState,
    TakeChanges,
    TakeDecisions,
)
from offline_queue.wire import MAX_BATCH, BatchAnswer, Marks, Order, Problem, ProblemCode, StreamHead, Welcome
from offline_queue.wire_feeds import Changes, Decisions

BATCH_STEP: Final = 50
BATCH_TARGET_MS: Final = 500
REST_S: Final = (1.0, 3600.0)
"""Whatever the ledger orders, an idle till says hello within these bounds, or never learns of a restored ledger."""

_replace = msgspec.structs.replace


def heard(state: SyncState, answer: Answer, moment: Moment) -> Outcome:
    """An answer that does not match the outstanding request is silence."""
    flight = state.outstanding
    if flight is None or answer.request != flight.request:
        return failed(state, Silence(reached=True), moment)
    match flight.step, answer:
        case SayHello(), Welcome():
            return _welcomed(state, flight, answer, moment)
        case SendRecords(stream=stream) | ParkRecord(stream=stream), BatchAnswer() if answer.stream == stream:
            return _custody(state, flight.heads[stream], answer, moment)
        case FetchDecisions(after=after), Decisions():
            return _decided(state, after, answer, moment)
        case FetchChanges(after=after), Changes():
            return _changed(state, after, answer, moment)
    return failed(state, Silence(reached=True), moment)


def _welcomed(state: SyncState, flight: Outstanding, answer: Welcome, moment: Moment) -> Outcome:
    if problem := unfit(answer, state.protocols, state.ledger_key):
        return failed(state, problem, moment)
    renewed = answer.generation != state.generation
    if renewed and not (isinstance(flight.step, SayHello) and flight.step.everything):
        return Outcome(_replace(state, outstanding=None, greeted=False, everything=True))
    marks = {stream: _clamped(head, answer.streams.get(stream)) for stream, head in flight.heads.items()}
    known = {stream: mark for stream, mark in marks.items() if mark is not None}
    lower = {s: mark.accepted + 1 for s, mark in known.items() if mark.accepted < flight.heads[s].accepted}
    held = {s: mark for s, mark in known.items() if s not in lower}
    rewinds = {s: min(n, lower.get(s, n)) for s, n in state.rewinds.items() if s in state.astray or s not in known}
    wait_s = min(max(answer.next_sync_after_s, REST_S[0]), REST_S[1]) * (0.9 + 0.2 * moment.chance)
    state = _replace(
        state,
        generation=answer.generation,
        greeted=True,
        everything=False,
        outstanding=None,
        hello_due_ms=moment.now_ms + int(wait_s * 1000),
        feed_due=True,
        rewinds={} if renewed else {**lower, **rewinds},
        astray=frozenset() if renewed else state.astray,
        alarm=None,
        changes_end=answer.changes,
        backoff=_relieved(state),
        ledger_key=answer.ledger_key,
        orders=tuple(answer.orders),
        findings=_findings(state, flight, known, renewed=renewed),
        owed=answer.recovering or not flight.rights <= answer.rights.keys(),
        again=renewed and answer.recovering,
    )
    if renewed:
        held = {stream: mark or Marks(0, 0) for stream, mark in marks.items()}
    return Outcome(state, tuple(_welcome_effects(answer, held, renewed=renewed)), ok=True)


def _findings(state: SyncState, flight: Outstanding, known: Mapping[str, Marks], *, renewed: bool) -> tuple[Order, ...]:
    """What was found stays until the next start, for a technician comes later; the newest comes first."""
    if state.generation is None:
        return state.findings
    found = about(flight.heads, known, renewed=renewed)
    codes = {order.code for order in found}
    return (*found, *(order for order in state.findings if order.code not in codes))


def _welcome_effects(answer: Welcome, held: Mapping[str, Marks], *, renewed: bool) -> Iterator[Effect]:
    if answer.ledger_key is not None:
        yield PinLedgerKey(answer.ledger_key)
    if held or renewed:
        yield MarkStreams(held, answer.generation, renewed)


def _clamped(head: StreamHead, marks: Marks | None) -> Marks | None:
    """No ledger holds more of a stream than its till: a mark beyond would skip records not yet written."""
    if marks is None:
        return None
    accepted = min(max(marks.accepted, 0), head.seq)
    return Marks(accepted, min(max(marks.stable, 0), accepted))


def _relieved(state: SyncState) -> Backoff:
    """A hello alone does not end the growing waits of a batch that keeps failing."""
    if state.suspect is None:
        return after_success(state.backoff)
    return _replace(state.backoff, ordered=False)


def _custody(state: SyncState, head: StreamHead, answer: BatchAnswer, moment: Moment) -> Outcome:
    if answer.generation != state.generation:
        return failed(state, Silence(reached=False), moment)
    marks = _clamped(head, Marks(answer.accepted, answer.stable))
    first = first_wanted(state, head)
    if marks is None or marks.accepted < first:
        gap = Problem("nothing was taken", 409, ProblemCode.GAP, expected=answer.accepted + 1)
        return failed(state, gap, moment)
    behind = marks.accepted < head.accepted
    rewinds = {stream: seq for stream, seq in state.rewinds.items() if stream != head.stream}
    if behind:
        rewinds[head.stream] = marks.accepted + 1
    state = _replace(
        state,
        outstanding=None,
        feed_due=True,
        batches_since_feed=state.batches_since_feed + 1,
        batch=_next_batch(state, marks.accepted - first + 1, moment.took_ms),
        backoff=after_success(state.backoff),
        again=state.owed,
        suspect=state.suspect if state.suspect and state.suspect.stream != head.stream else None,
        rewinds=rewinds,
        astray=state.astray if behind else state.astray - {head.stream},
    )
    if behind:
        return Outcome(state, (), ok=True)
    receipts = {head.stream: answer.custody} if answer.custody and answer.custody.seq <= head.seq else {}
    return Outcome(state, (MarkStreams({head.stream: marks}, answer.generation, receipts=receipts),), ok=True)


def _next_batch(state: SyncState, taken: int, took_ms: int) -> int:
    """Additive increase, multiplicative decrease; a batch that was not full tells nothing about a larger one."""
    if took_ms > BATCH_TARGET_MS:
        return max(1, state.batch // 2)
    return min(MAX_BATCH, state.batch + BATCH_STEP) if taken >= state.batch else state.batch


def _decided(state: SyncState, after: int, answer: Decisions, moment: Moment) -> Outcome:
    if answer.generation != state.generation:
        return failed(state, Silence(reached=False), moment)
    if not _in_order(after, [verdict.n for verdict in answer.verdicts], answer):
        return failed(state, Silence(reached=True), moment)
    state = _replace(state, outstanding=None, feed_due=answer.more, batches_since_feed=0, backoff=_relieved(state))
    news = answer.verdicts or answer.balances or answer.next != after
    page = TakeDecisions(answer.verdicts, answer.balances, answer.next, answer.generation)
    return Outcome(state, (page,) if news else (), ok=True)


def _changed(state: SyncState, after: int, answer: Changes, moment: Moment) -> Outcome:
    if answer.generation != state.generation:
        return failed(state, Silence(reached=False), moment)
    if not _in_order(after, [change.n for change in answer.changes], answer):
        return failed(state, Silence(reached=True), moment)
    state = _replace(
        state,
        outstanding=None,
        changes_end=max(state.changes_end, answer.next + 1) if answer.more else answer.next,
        changes_troubled=False,
        backoff=_relieved(state),
    )
    page = TakeChanges(after, answer.changes, answer.next, answer.generation, answer.more)
    return Outcome(state, (page,), ok=True)


def _in_order(after: int, numbers: Sequence[int], page: Decisions | Changes) -> bool:
    """Whether a page follows its cursor and leads on."""
    told = [after, *numbers]
    return all(a < b for a, b in pairwise(told)) and page.next >= told[-1] and not (page.more and page.next == after)
