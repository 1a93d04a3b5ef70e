"""Sets of sequence numbers kept as spans: a million undecided records of a stream are one pair of numbers. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

Span = tuple[int, int]


class Spans:
    """Disjoint spans `(first, last)`, both included, in order."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def __bool__(self) -> bool:
        return bool(self._spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans)

    def add(self, number: int) -> bool:
        """False when it was in already."""
        at = bisect_right(self._spans, number, key=lambda span: span[0])
        before = self._spans[at - 1] if at else None
        after = self._spans[at] if at < len(self._spans) else None
        if before and number <= before[1]:
            return False
        first = before[0] if before and before[1] == number - 1 else number
        last = after[1] if after and after[0] == number + 1 else number
        self._spans[at - (first < number) : at + (last > number)] = [(first, last)]
        return True

    def take(self, first: int, last: int) -> list[Span]:
        """Removes what lies in `first`..`last` and returns it; nothing does where they are the wrong way round."""
        if last < first:
            return []
        low = bisect_left(self._spans, first, key=lambda span: span[1])
        high = bisect_right(self._spans, last, key=lambda span: span[0])
        hit = self._spans[low:high]
        taken = [(max(start, first), min(end, last)) for start, end in hit]
        left = [(start, first - 1) for start, end in hit[:1] if start < first]
        right = [(last + 1, end) for start, end in hit[-1:] if end > last]
        self._spans[low:high] = left + right
        return taken
