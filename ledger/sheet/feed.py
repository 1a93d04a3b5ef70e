"""From rulings to what a terminal is told, without I/O: records posted as asked with one remark share a verdict."""

from collections.abc import Iterable

import msgspec

from ledger.facts.case import Decision
from ledger.sheet.source import Ruling


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
        """The effect where it is not what was asked."""
        return None if self.decision.effect == self.decision.asked else self.decision.effect


def spans(rulings: Iterable[Ruling]) -> list[Span]:
    """In the order of the rulings, so that the feed follows from the records alone."""
    runs: list[list[Ruling]] = []
    for ruling in rulings:
        if runs and _continues(runs[-1][-1], ruling):
            runs[-1].append(ruling)
        else:
            runs.append([ruling])
    return [_span(run[0], run[-1]) for run in runs]


def _span(first: Ruling, last: Ruling) -> Span:
    item = first.item
    return Span(item.sender, item.stream, item.record, item.seq, last.item.seq, first.decision)


def _continues(before: Ruling, ruling: Ruling) -> bool:
    return before.item.record + 1 == ruling.item.record and _alike(before.decision, ruling.decision)


def _alike(one: Decision, other: Decision) -> bool:
    same = one.code == other.code and one.state == other.state and one.also == other.also and one.detail == other.detail
    return same and one.plain and other.plain
