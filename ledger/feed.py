"""From rulings to what a terminal is told, without I/O: records posted as asked with one remark share a verdict."""

from collections.abc import Iterable

import msgspec

from ledger.facts import Decision
from ledger.source import Ruling


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
    out: list[Span] = []
    for ruling in rulings:
        item, decision = ruling.item, ruling.decision
        last = out[-1] if out else None
        if last is not None and _continues(last, ruling) and _alike(last.decision, decision):
            out[-1] = msgspec.structs.replace(last, last=item.seq)
        else:
            out.append(Span(item.sender, item.stream, item.record, item.seq, item.seq, decision))
    return out


def _continues(span: Span, ruling: Ruling) -> bool:
    return span.record + span.last - span.first + 1 == ruling.item.record


def _alike(one: Decision, other: Decision) -> bool:
    told = (one.state, one.codes, one.detail)
    return one.plain and other.plain and told == (other.state, other.codes, other.detail)
