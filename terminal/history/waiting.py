"""How long entries wait from the sale until the ledger has them: first in, first out, in bounded memory."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MOST_GROUPS: Final = 4096
"""One second each at first: more than an hour of the busiest till; after that they grow coarser, never more."""
BOUNDS_S: Final = (1, 5, 15, 60, 300, 1800, 7200, 43_200, 259_200)
"""From a moment to three days without a line."""


@dataclass(frozen=True)
class Taken:
    """`count` entries that the ledger has taken after `wait_ms`."""

    wait_ms: int
    count: int


class Waiting:
    """Entries in their order; those recorded within `width_ms` are one group and count from its first."""

    def __init__(self, most_groups: int = MOST_GROUPS) -> None:
        self._most = most_groups
        self._groups: deque[tuple[int, int]] = deque()
        self.width_ms = 1000
        self.count = 0

    def recorded(self, now_ms: int) -> None:
        """One more, at a time of any clock that never goes back."""
        self.count += 1
        if self._groups and now_ms - self._groups[-1][0] < self.width_ms:
            at, count = self._groups.pop()
            self._groups.append((at, count + 1))
            return
        self._groups.append((now_ms, 1))
        while len(self._groups) > self._most:
            self._coarser()

    def left(self, count: int, now_ms: int) -> list[Taken]:
        """The ledger has taken all but the newest `count`: those that left just now."""
        taken = list(self._leave(count, now_ms))
        if not self._groups:
            self.width_ms = 1000
        return taken

    def _leave(self, count: int, now_ms: int) -> Iterator[Taken]:
        while self.count > count:
            at, size = self._groups.popleft()
            gone = min(size, self.count - count)
            if gone < size:
                self._groups.appendleft((at, size - gone))
            self.count -= gone
            yield Taken(max(0, now_ms - at), gone)

    def _coarser(self) -> None:
        """Joins neighbours: a wait may then be told longer than it was, by less than two `width_ms`."""
        self.width_ms *= 2
        old, self._groups = self._groups, deque()
        for at, size in old:
            if self._groups and at - self._groups[-1][0] < self.width_ms:
                first, count = self._groups.pop()
                self._groups.append((first, count + size))
            else:
                self._groups.append((at, size))


@dataclass(frozen=True)
class Latencies:
    """Waits since the start of the daemon, as a Prometheus histogram: `counts` up to each of BOUNDS_S, then above."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS_S) + 1)
    sum_ms: int = 0

    def plus(self, taken: Sequence[Taken]) -> "Latencies":
        counts = list(self.counts)
        for one in taken:
            counts[bisect_left(BOUNDS_S, one.wait_ms / 1000)] += one.count
        return Latencies(tuple(counts), self.sum_ms + sum(one.wait_ms * one.count for one in taken))
