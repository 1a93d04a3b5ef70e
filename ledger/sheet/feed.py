"""From rulings to what a terminal is told, without I/O: posted records of which the same is told share a verdict."""

from collections.abc import Container, Iterable

import msgspec

from ledger.facts.case import Decision
from ledger.sheet.source import Ruling
from offline_queue.entry import State


class Span(msgspec.Struct, frozen=True, gc=False):
    """Records `first`..`last` of a stream (by seq) with one decision; `record` is the number of the first."""

    terminal: str
    stream: str
    record: int
    first: int
    last: int
    decision: Decision

    @property
    def points(self) -> int | None:
        """The effect on each record where it is not what was asked."""
        return _told(self.decision)


def spans(rulings: Iterable[Ruling], again: Container[int] = ()) -> list[Span]:
    """In the order of the rulings, so that the feed follows from the records alone.

    Records that are decided `again` begin a verdict of their own: of all verdicts on a record, the last is the last
    of those that begin nearest to it. So whoever looks for it has to look at no more.
    """
    runs: list[tuple[Ruling, Ruling]] = []
    for ruling in rulings:
        first, last = runs[-1] if runs else (ruling, ruling)
        if ruling.item.record not in again and _continues(last, ruling):
            runs[-1] = first, ruling
        else:
            runs.append((ruling, ruling))
    return [_span(first, last) for first, last in runs]


def _span(first: Ruling, last: Ruling) -> Span:
    item = first.item
    return Span(item.sender, item.stream, item.record, item.seq, last.item.seq, first.decision)


def _continues(before: Ruling, ruling: Ruling) -> bool:
    return before.item.record + 1 == ruling.item.record and _alike(before.decision, ruling.decision)


def _alike(one: Decision, other: Decision) -> bool:
    """People may settle the others one by one."""
    if one is other:
        return one.state is State.POSTED
    same = one.code == other.code and one.state == other.state and one.also == other.also and one.detail == other.detail
    return same and one.state is State.POSTED and _told(one) == _told(other)


def _told(decision: Decision) -> int | None:
    return None if decision.effect == decision.asked else decision.effect
