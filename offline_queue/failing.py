"""What a refusal or a silence of the ledger changes: waits grow, pieces shrink, and no record holds up the others.

Pure, as next_step.py is.
"""

from typing import Final

import msgspec

from offline_queue.backoff import after_failure, after_refusal
from offline_queue.steps import (
    FetchChanges,
    FetchDecisions,
    Moment,
    Outcome,
    ParkRecord,
    SendRecords,
    Silence,
    Suspect,
    SyncState,
)
from offline_queue.wire import Problem, ProblemCode, StreamHead

FAILURES_OF_A_BATCH: Final = 3
_HALTING: Final = frozenset({401, 403, 426})

_replace = msgspec.structs.replace


def failed(state: SyncState, cause: Silence | Problem, moment: Moment) -> Outcome:
    """No answer, or one that takes nothing: wait, say hello, and then try again or in a smaller piece.

    Who was only turned away at the door goes on where it was.
    """
    flight = state.outstanding
    turned_away = isinstance(cause, Silence) and cause.turned_away
    state = _replace(state, outstanding=None, greeted=state.greeted and turned_away)
    if isinstance(cause, Problem) and cause.status in _HALTING:
        backoff = after_refusal(state.backoff, moment.now_ms, moment.chance)
        return Outcome(_replace(state, backoff=backoff, alarm=cause.code))
    retry_after = cause.retry_after_s if isinstance(cause, Silence) else None
    state = _replace(state, backoff=after_failure(state.backoff, moment.now_ms, moment.chance, retry_after))
    match flight.step if flight else None:
        case SendRecords() as step if flight:
            return Outcome(_undelivered(state, step, flight.heads[step.stream], cause))
        case ParkRecord(stream, seq):
            return Outcome(_replace(state, suspect=Suspect(stream, seq, 1, alone=True)))
        case FetchDecisions():
            return Outcome(_replace(state, batches_since_feed=0))
        case FetchChanges():
            return Outcome(_replace(state, changes_troubled=True))
    return Outcome(state)


def _undelivered(state: SyncState, step: SendRecords, head: StreamHead, cause: Silence | Problem) -> SyncState:
    match cause:
        case Silence(reached=False) | Problem(code=ProblemCode.GENERATION):
            return state
        case Problem(code=ProblemCode.GAP, expected=int(expected)) if 1 <= expected < step.first:
            rewinds, astray = {**state.rewinds, head.stream: expected}, state.astray | {head.stream}
            return _replace(state, rewinds=rewinds, astray=astray)
        case Problem(status=413):
            return _blamed(state, step, FAILURES_OF_A_BATCH)
    return _blamed(state, step, 1)


def _blamed(state: SyncState, step: SendRecords, weight: int) -> SyncState:
    """After FAILURES_OF_A_BATCH: half the batch and fresh waits; a single record is parked."""
    same = state.suspect is not None and (state.suspect.stream, state.suspect.first) == (step.stream, step.first)
    failures = weight + (state.suspect.failures if same and state.suspect is not None else 0)
    if failures < FAILURES_OF_A_BATCH:
        return _replace(state, suspect=Suspect(step.stream, step.first, failures))
    fresh = _replace(state.backoff, failures=1)
    suspect = Suspect(step.stream, step.first, 0, alone=step.limit == 1)
    return _replace(state, batch=max(1, step.limit // 2), backoff=fresh, suspect=suspect)
