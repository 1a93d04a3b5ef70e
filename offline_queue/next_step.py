"""What a till says to the ledger next: the half of the protocol's core that asks.

Pure: the clock and the request ids are arguments. The rules are those of docs/protocol.md; `Courier`
(offline_queue/courier.py) says what is decided here, hearing.py and failing.py tell what comes of it, and
tests/simulation drives all three through every fault we could think of.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from offline_queue.entry import Lane
from offline_queue.steps import (
    FetchChanges,
    FetchDecisions,
    Outstanding,
    ParkRecord,
    Request,
    Rest,
    SayHello,
    SendRecords,
    Step,
    SyncState,
)
from offline_queue.wire import StreamHead

BATCHES_PER_FEED: Final = 10
"""Decisions are fetched at least once in so many batches, however long the backlog."""
_LANES: Final = {Lane.URGENT: 0, Lane.BULK: 1}

_replace = msgspec.structs.replace


def next_step(state: SyncState, heads: Sequence[StreamHead], cursor: int, now_ms: int, changes: int = 0) -> Step:
    """`heads`: streams that are open, and of each lane at least the two oldest that are not wholly accepted, older
    before newer; `cursor` of the feed of decisions.

    `changes` is the cursor of the feed of changes in the ledger's generation.
    """
    if now_ms < state.backoff.next_attempt_ms:
        return Rest(state.backoff.next_attempt_ms)
    if not state.greeted or now_ms >= state.hello_due_ms:
        return SayHello(state.everything or state.generation is None)
    behind = changes < state.changes_end
    if behind and not state.changes_troubled:
        return FetchChanges(changes)
    head = _most_urgent(state, heads)
    pressing = head is not None and head.stream != _stuck(state)
    if state.feed_due and (not pressing or state.batches_since_feed >= BATCHES_PER_FEED):
        return FetchDecisions(cursor)
    if head is not None:
        return _delivery(state, head)
    if state.again:
        return SayHello(everything=False)
    return FetchChanges(changes) if behind else Rest(state.hello_due_ms)


def begin(
    state: SyncState, step: Request, request: str, heads: Sequence[StreamHead], rights: Collection[str] = ()
) -> SyncState:
    """From here on only the answer to `request` counts. A hello declares `heads` and `rights`."""
    held = {head.stream: head for head in heads}
    return _replace(state, outstanding=Outstanding(request, step, held, frozenset(rights)))


def hasten(state: SyncState, now_ms: int) -> SyncState:
    """A person asks for a pass now: no wait holds, and the ledger is asked what it knows."""
    return _replace(state, greeted=False, backoff=_replace(state.backoff, next_attempt_ms=now_ms))


def first_wanted(state: SyncState, head: StreamHead) -> int:
    """The place in its stream of the next record to send, 1 the first."""
    return state.rewinds.get(head.stream, head.accepted + 1)


def _most_urgent(state: SyncState, heads: Sequence[StreamHead]) -> StreamHead | None:
    waiting = [head for head in heads if first_wanted(state, head) <= head.seq]
    return min(waiting, key=lambda head: (head.stream == _stuck(state), _LANES[head.lane]), default=None)


def _stuck(state: SyncState) -> str | None:
    """A stream of which not even a single record goes comes last, so that it holds up nobody else, nor the feed."""
    suspect = state.suspect
    return suspect.stream if suspect and suspect.alone and suspect.failures else None


def _delivery(state: SyncState, head: StreamHead) -> SendRecords | ParkRecord:
    first, suspect = first_wanted(state, head), state.suspect
    if suspect is not None and suspect.alone and (suspect.stream, suspect.first) == (head.stream, first):
        return ParkRecord(head.stream, first)
    return SendRecords(head.stream, first, min(state.batch, head.seq - first + 1))
