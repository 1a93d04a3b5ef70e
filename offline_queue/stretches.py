"""Runs of neighbouring entries of one stream that stand in the same state. Pure.

Queued and accepted follow from the ledger's mark, the rest from its verdicts; nothing is stored for each entry.
"""

from collections.abc import Iterable, Iterator

import msgspec

from offline_queue.entry import State
from offline_queue.wire_feeds import Verdict


class Stretch(msgspec.Struct, frozen=True):
    """The entries `first`..`last` (seq) are in `state`, by `verdict` where there is one."""

    first: int
    last: int
    state: State
    verdict: Verdict | None = None


def stretches(head: int, accepted: int, verdicts: Iterable[Verdict], *, sealed: bool) -> Iterator[Stretch]:
    """All entries of a stream in order, without its genesis and seal. `verdicts` are ordered and do not overlap."""
    top = head - 1 if sealed else head
    at = 2
    for verdict in verdicts:
        first, last = max(verdict.first, at), min(verdict.last, top)
        yield from _undecided(at, min(first - 1, top), accepted)
        if first <= last:
            yield Stretch(first, last, verdict.state, verdict)
        at = max(at, last + 1)
    yield from _undecided(at, top, accepted)


def _undecided(first: int, last: int, accepted: int) -> Iterator[Stretch]:
    in_custody = min(last, accepted)
    if first <= in_custody:
        yield Stretch(first, in_custody, State.ACCEPTED)
    waiting = max(first, accepted + 1)
    if waiting <= last:
        yield Stretch(waiting, last, State.QUEUED)
